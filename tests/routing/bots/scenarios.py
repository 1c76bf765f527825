"""Scenarios for tests: a complete one, and random ones of the same format."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from routing.bots import scenario
from routing.bots.scenario import Scenario

LANGUAGES = ("en", "fr")


def both(text: str) -> dict[str, str]:
    return {"en": text, "fr": f"{text} (fr)"}


def say(name: str, to: str, text: str = "Hello") -> dict[str, Any]:
    return {"id": name, "kind": "say", "text": both(text), "next": to}


def ask(
    name: str, answer: str, to: str = "", failed: str = "people", /, **more: Any
) -> dict[str, Any]:
    asked = {"id": name, "kind": "ask", "text": both(f"{name}?"), "answer": answer, **more}
    return asked | {"next": to, "failed": failed}


def choose(name: str, *choices: tuple[str, str], failed: str = "people") -> dict[str, Any]:
    offered = [{"text": both(text), "next": to} for text, to in choices]
    return {
        "id": name,
        "kind": "ask",
        "text": both(f"{name}?"),
        "answer": "choice",
        "name": name,
        "choices": offered,
        "failed": failed,
    }


def people(name: str = "people", **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "escalate", **more}


def plan(*steps: dict[str, Any], start: str = "", **more: Any) -> Scenario:
    data = {"format": 1, "start": start or steps[0]["id"], "steps": list(steps), **more}
    return scenario.check(data, LANGUAGES)


def shop() -> Scenario:
    """Return a scenario with every kind of step but the knowledge."""
    return plan(
        say("hello", "topic", "Hello {name}"),
        choose("topic", ("My order", "number"), ("Lamps", "lamps"), ("Something else", "people")),
        ask("number", "pattern", "status", pattern="CM-####", name="order", tries=2),
        {
            "id": "status",
            "kind": "call",
            "url": "https://shop.example/orders/{order}",
            "answers": {"status": "order.status"},
            "next": "is_sent",
            "failed": "people",
        },
        {
            "id": "is_sent",
            "kind": "condition",
            "branches": [
                {
                    "source": "answer",
                    "name": "status",
                    "operator": "is",
                    "value": "sent",
                    "next": "sent",
                }
            ],
            "otherwise": "orders",
        },
        say("sent", "bye", "Your order {order} is on its way."),
        {"id": "orders", "kind": "set", "data": {"topic": "late"}, "skills": [], "next": "people"},
        {
            "id": "lamps",
            "kind": "cards",
            "cards": [
                {
                    "title": both("Moon"),
                    "links": [{"text": both("Look"), "url": "https://shop.example/moon"}],
                }
            ],
            "next": "bye",
        },
        people(text=both("A person takes over."), no_room="later"),
        say("later", "bye", "Nobody is here."),
        {"id": "bye", "kind": "close", "text": both("Goodbye")},
    )


IDS = ("a", "b", "c", "d", "e", "f")
WAYS = st.sampled_from([*IDS, "nowhere", ""])
TEXTS = st.fixed_dictionaries({"en": st.sampled_from(["One", "Two {x}", "  "])})
ANSWERS = st.sampled_from(["text", "email", "phone", "number", "date", "pattern"])


def _step(name: str) -> st.SearchStrategy[dict[str, Any]]:
    def of(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({"id": st.just(name), "kind": st.just(kind), **fields})

    choices = st.lists(
        st.fixed_dictionaries(
            {"text": st.fixed_dictionaries({"en": st.sampled_from(["yes", "no"])}), "next": WAYS}
        ),
        max_size=3,
    )
    branches = st.lists(
        st.fixed_dictionaries(
            {
                "source": st.sampled_from(["answer", "data", "hours", "language"]),
                "name": st.sampled_from(["", "x"]),
                "operator": st.sampled_from(["is", "is_not", "known"]),
                "value": st.sampled_from(["yes", "1", "en"]),
                "next": WAYS,
            }
        ),
        min_size=1,
        max_size=2,
    )
    tries = st.integers(1, 3)
    return st.one_of(
        of("say", text=TEXTS, next=WAYS),
        of("ask", text=TEXTS, answer=st.just("choice"), choices=choices, tries=tries, failed=WAYS),
        of(
            "ask",
            text=TEXTS,
            answer=ANSWERS,
            pattern=st.just("@#"),
            name=st.sampled_from(["x", "y"]),
            tries=tries,
            next=WAYS,
            failed=WAYS,
        ),
        of("condition", branches=branches, otherwise=WAYS),
        of("set", data=st.just({"x": "1"}), next=WAYS),
        of("knowledge", next=WAYS, failed=WAYS),
        of(
            "call",
            url=st.just("https://a.example/{x}"),
            answers=st.just({"x": "x"}),
            next=WAYS,
            failed=WAYS,
        ),
        of("escalate", no_room=WAYS),
        of("close", text=TEXTS),
    )


def random_plans() -> st.SearchStrategy[Scenario]:
    steps = st.tuples(*[_step(name) for name in IDS])
    return st.builds(
        lambda steps, start: plan(*steps, start=start), steps, st.sampled_from([*IDS, "nowhere"])
    )
