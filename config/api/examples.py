"""Examples of requests in the description of the API. A test sends each of them.

The numbers and names are those of a small installation: the website ``shop`` with group 7, rule 4,
agent 3 and skill 5.
"""

from __future__ import annotations

from typing import Any

CONVERSATION = "/api/v1/conversations/{number}"
SITE: dict[str, Any] = {"website": "shop"}

REQUESTS: dict[tuple[str, str], dict[str, Any]] = {
    ("post", f"{CONVERSATION}/messages/"): {
        "id": "5f0c9d0e-6a54-4f4b-9d6e-3c1f4f3b2a10",
        "body": "Your parcel arrives tomorrow. Is that all right?",
        "choices": ["Yes", "No, later"],
    },
    ("post", f"{CONVERSATION}/notes/"): {"body": "The carrier confirmed it by telephone."},
    ("post", f"{CONVERSATION}/snooze/"): {"until": "2035-03-08T09:00:00Z", "keep": True},
    ("post", f"{CONVERSATION}/transfer/"): {"group": 7, "skills": [5], "note": "Asks in Dutch."},
    ("post", f"{CONVERSATION}/block/"): {"reason": "Insults", "until": "2035-04-01T00:00:00Z"},
    ("post", f"{CONVERSATION}/close/"): {"seen": 1},
    ("post", "/api/v1/exports/"): {"subject": "conversations", "kind": "csv", "period": "30"},
    ("post", "/api/v1/agents/"): {
        "username": "ada",
        "display_name": "Ada",
        "groups": [7],
        "channels": [{"channel": "chat", "slots": 3}],
    },
    ("patch", "/api/v1/agents/{number}/"): {
        "channels": [{"channel": "chat", "slots": 5}],
        "skills": [5],
    },
    ("post", "/api/v1/agents/{number}/availability/"): {"channel": "chat", "is_available": True},
    ("post", "/api/v1/skills/"): SITE | {"kind": "language", "name": "Frisian"},
    ("post", "/api/v1/groups/"): SITE
    | {
        "name": "Returns",
        "members": [3],
        "hours": [{"weekday": 0, "opens": "09:00", "closes": "18:00"}],
    },
    ("patch", "/api/v1/groups/{number}/"): {"members": [3]},
    ("post", "/api/v1/holidays/"): SITE | {"date": "2035-12-25", "name": "Christmas"},
    ("post", "/api/v1/rules/"): SITE
    | {"name": "Orders", "mode": "cascade", "steps": [{"group": 7, "places": 20}]},
    ("patch", "/api/v1/rules/{number}/"): {"steps": [{"group": 7, "places": 30}]},
    ("post", "/api/v1/targeting-rules/"): SITE
    | {
        "name": "Full carts",
        "rule": 4,
        "pages_included": ["/cart/*"],
        "conditions": [{"name": "cart.total", "operator": "at_least", "value": "80"}],
        "texts": {"en": "Any questions?", "fr": "Une question ?"},
    },
    ("post", "/api/v1/replies/"): {
        "owner": "group-7",
        "name": "Greeting",
        "shortcut": "hello",
        "body": "Hello {visitor_name}, how can I help?",
    },
    ("post", "/api/v1/articles/"): SITE
    | {
        "language": "en",
        "name": "Returning an order",
        "body": "You can return it within **30 days**.",
        "state": "published",
    },
    ("patch", "/api/v1/persons/{number}/"): {
        "name": "Ada Lovelace",
        "profile": {"plan": "gold", "orders": 12},
    },
    ("put", "/api/v1/subscriptions/{report}/"): SITE | {"every": "week"},
    ("post", "/api/v1/webhooks/"): SITE
    | {
        "name": "CRM",
        "url": "https://crm.example.com/causerie",
        "events": ["message.created"],
    },
}
