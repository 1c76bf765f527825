"""Strings from outside at every address, in every field: stored clean, and no response is a 500."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve

from accounts import identities
from accounts.models import Agent, Role, Website
from conversations.models import Conversation, SeenPage, Visitor
from messenger.website_texts import sha256_of, texts_of
from reporting.sales import keys
from routing.models import RuleStep
from tests import hostile
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import (
    AgentFactory,
    ArticleFactory,
    StepFactory,
    UserFactory,
    VisitorFactory,
    on_desk,
)
from tests.logins import log_in_freshly

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

FORM = "multipart/form-data; boundary=\xff"
PROGRAMS = ("/api/", "/messenger/")
# Answered by raw ASGI, or by pages that are not JSON.
TEXTS = {"StringConverter", "PathConverter"}
PAGES = ("/api/docs/", "/api/v1/schema/")


@pytest.fixture
def step(db: None) -> RuleStep:
    cache.clear()
    return StepFactory(rule__website__key="celeste", rule__website__domains=["testserver"])


@pytest.fixture
def website(step: RuleStep) -> Website:
    return step.rule.website


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(user=UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True))
    step.group.members.add(agent)
    return agent


@pytest.fixture
def visitor(website: Website) -> Visitor:
    return VisitorFactory(website=website, token="a token", agrees=True)


@pytest.fixture
def conversation(step: RuleStep, agent: Agent, visitor: Visitor) -> Conversation:
    return on_desk(step, agent, visitor=visitor)


@pytest.fixture
def client(agent: Agent) -> Client:
    client = Client(headers={"Origin": "http://testserver"})
    log_in_freshly(client, agent.user)
    return client


@contextmanager
def undone(client: Client) -> Iterator[None]:
    """Undo whatever a request does: it may log out, or delete."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies = cookies
    cache.clear()


def is_fine(answer: HttpResponse, path: str) -> bool:
    """Return whether the response is no server error and, for programs, has the one shape of
    errors."""
    if answer.status_code in {500, 502, 504}:
        return False
    is_told = answer.status_code >= 400 and path.startswith(PROGRAMS)
    if not is_told or path.startswith(PAGES) or "html" in answer.get("Content-Type", ""):
        return True
    error = json.loads(answer.content)["error"]
    return bool(error["code"]) and bool(error["message"])


def samples(conversation: Conversation) -> dict[str, str]:
    return {
        "IntConverter": str(conversation.pk),
        "UUIDConverter": str(conversation.public_id),
        "SlugConverter": "waiting",
        "StringConverter": "celeste",
        "PathConverter": "1",
    }


def paths(conversation: Conversation, odd: str) -> Iterator[str]:
    """Yield each address with valid values, and with ``odd`` in each place that takes a text."""
    known = samples(conversation)
    for route, converters in hostile.patterns():
        texts = [name for name, kind in converters.items() if kind in TEXTS]
        for place in [None, *texts]:
            path = route
            for name, kind in converters.items():
                value = quote(odd, errors="surrogatepass") if name == place else known[kind]
                for written in _written(name):
                    path = path.replace(written, value)
            assert "<" not in path, route
            yield f"/{path}"


def _written(name: str) -> list[str]:
    return [f"<{kind}{name}>" for kind in ("", "int:", "str:", "uuid:", "slug:", "path:")]


def union_of_names() -> list[str]:
    names = hostile.declared_fields()
    for module in hostile.modules():
        if module.__name__.rpartition(".")[2] not in {"settings", "environment", "celery"}:
            names |= hostile.names_read_by(module)
    return sorted(names)[:900]


def test_every_address_accepts_any_string_in_any_field(
    client: Client, conversation: Conversation
) -> None:
    names = union_of_names()
    assert {"q", "body", "website", "reason", "title", "csat", "choices"} <= set(names)
    failed = []
    sent = dict.fromkeys(names, hostile.ODD)
    odd = quote(hostile.ODD, errors="surrogatepass")
    query = "&".join(f"{name}={odd}" for name in names)
    for path in sorted(set(paths(conversation, hostile.ODD))):
        if path.startswith("/admin/") and not (path.count("/") == 4 or path.endswith("/add/")):
            continue  # A row's own pages have the same fields as the page that adds one.
        tries: dict[str, Callable[[], Any]] = {
            "GET": lambda path=path: client.get(f"{path}?{query}"),
            "form": lambda path=path: client.post(path, _form(sent)),
        }
        for kind, ask in tries.items():
            with undone(client):
                try:
                    if not is_fine(ask(), path):
                        failed.append((kind, path, ""))
                except Exception as error:
                    failed.append((kind, path, f"{type(error).__name__}: {error}"[:200]))
    assert failed == [], "\n".join(map(str, failed))


def _form(sent: dict[str, str]) -> dict[str, Any]:
    texts = {name: text.encode("utf-8", "replace").decode() for name, text in sent.items()}
    return texts | {"file": SimpleUploadedFile("a\u202e.txt", b"id;amount\n\0;\xff\n")}


# --- Every JSON entry point, field by field


def identity_of(website: Website, **more: Any) -> str:
    secret = identities.rotate(website, at=NOW).secret.reveal()
    claims = {"sub": "C-1", "aud": website.key, "exp": int(NOW.timestamp()) + 600, "name": "J"}
    return jwt.encode(claims | more, secret, algorithm="HS256")


VIEW = {
    "url": "https://testserver/",
    "language": "fr",
    "device": "phone",
    "pages": 1,
    "seconds": 1,
    "returning": False,
    "data": {"cart": 12, "plan": "gold"},
}
CARD = {"title": "T", "text": "U", "image": "", "links": [{"text": "L", "url": "https://x.test/"}]}


def payloads(website: Website, conversation: Conversation) -> dict[str, dict[str, Any]]:
    """Return what each JSON entry point takes; the test below fails for a missing one."""
    consent = sha256_of(texts_of(website, "fr")["consent"])
    mine = f"/messenger/{website.key}/"
    article = ArticleFactory(website=website)
    return {
        f"{mine}visitors/": {"language": "fr", "consent": consent, "identity": ""},
        f"{mine}identity/": {"language": "fr", "identity": identity_of(website)},
        f"{mine}logout/": {},
        f"{mine}consent/": {"given": True, "language": "fr", "consent": consent},
        f"{mine}history/": {"hidden": True},
        f"{mine}copy/": {},
        f"{mine}conversations/": {
            "client_id": str(uuid.uuid4()), "body": "x", "page_url": "https://x.test/",
            "view": VIEW, "targeting": 1,
        },
        f"{mine}conversations/{conversation.public_id}/survey/": {
            "csat": 5, "nps": 9, "comment": "",
        },
        f"{mine}seen/": {"url": "https://testserver/", "title": "T", "referrer": "", "view": VIEW},
        f"{mine}articles/": {"question": "x"},
        **{f"{mine}articles/{verb}/": {"article": article.pk} for verb in ("read", "answered")},
        f"{mine}ticket/": {},
        f"{mine}transactions/": {"id": "1", "amount": "9.90", "currency": "EUR", "visitor": ""},
        f"{mine}email/": {"address": "j@example.com", "on": True},
        "/api/v1/transactions/": {
            "id": "7", "amount": "9.90", "currency": "EUR", "made_at": NOW.isoformat(),
            "visitor": "", "customer": "",
        },
        "/api/v1/transactions/celeste/refunds/": {"id": "r1", "amount": "1.00"},
        f"/api/v1/conversations/{conversation.pk}/messages/": {
            "id": str(uuid.uuid4()), "body": "x", "choices": ["a", "b"], "cards": [CARD],
            "attachment": str(uuid.uuid4()),
        },
        **{
            f"/api/v1/conversations/{conversation.pk}/{verb}/": sent
            for verb, sent in {
                "snooze": {"until": NOW.isoformat(), "keep": True, "auto_close": True, "seen": 1},
                "transfer": {"agent": 1, "group": 1, "note": "x"},
                "notes": {"body": "x"},
                "tags": {"tags": [1]},
                **{verb: {"seen": 1} for verb in ("pending", "on-hold", "close", "solve")},
                **{verb: {} for verb in ("take", "resume", "wake", "release")},
                "block": {"reason": "x", "until": NOW.isoformat()},
            }.items()
        },
        f"/api/v1/agents/{conversation.agent_id}/availability/": {
            "channel": "chat", "is_available": True,
        },
        **settings_payloads(website),
        "/api/v1/conversations/": {
            "id": str(uuid.uuid4()), "visitor": str(uuid.uuid4()), "body": "x",
            "page_url": "https://x.test/", "language": "fr",
        },
        "/api/v1/webhooks/": {
            "website": website.key, "name": "x", "url": "https://1.1.1.1/", "format": "standard",
            "events": ["message.created"], "is_enabled": True,
        },
        "/api/v1/exports/": {
            "subject": "conversations", "kind": "csv", "period": "custom", "first": "2026-01-01",
            "last": "2026-01-02", "website": website.pk, "group": 1, "rule": 1, "agent": 1,
            "style": "live", "language": "fr", "currency": "EUR",
        },
    }  # fmt: skip


def settings_payloads(website: Website) -> dict[str, dict[str, Any]]:
    site = {"website": website.key, "name": "x"}
    return {
        "/api/v1/agents/": {
            "username": "x", "display_name": "x", "groups": [1], "skills": [1],
            "channels": [{"channel": "chat", "slots": 3}],
        },
        "/api/v1/skills/": site | {"kind": "topic"},
        "/api/v1/groups/": site | {
            "members": [1], "managers": ["x"], "time_zone": "UTC", "answer_seconds": 1,
            "hours": [{"weekday": 0, "opens": "09:00", "closes": "18:00"}],
            "keeps_places_when_closed": True, "release_minutes": 1,
        },
        "/api/v1/holidays/": site | {
            "group": 1, "date": "2035-01-01", "opens": "09:00", "closes": "18:00",
        },
        "/api/v1/rules/": site | {
            "is_enabled": True, "mode": "cascade", "style": "live", "bot": 1,
            "solved_window": "1 00:00:00", "skill_relax_seconds": 1,
            "steps": [{"group": 1, "places": 1}],
        },
        "/api/v1/targeting-rules/": site | {
            "is_enabled": True, "position": 1, "rule": 1, "calls_rule": 1, "audience": "anybody",
            "pages_included": ["/x"], "pages_excluded": ["/y"], "languages": ["fr"],
            "devices": ["phone"], "seconds_on_page": 1, "pages_viewed": 1, "hours": "always",
            "shows_when_closed": True, "texts": {"fr": "x"}, "skills": [1],
            "conditions": [{"name": "x", "operator": "is", "value": "y"}],
        },
        "/api/v1/replies/": {
            "owner": "own", "name": "x", "shortcut": "x", "folder": "x", "language": "fr",
            "body": "x",
        },
        "/api/v1/articles/": site | {
            "language": "fr", "body": "x", "audience": "public", "state": "draft",
            "review_on": "2035-01-01",
        },
        "/api/v1/tags/": site | {
            "category": "x", "colour": "red", "description": "x", "archived": True,
        },
    }  # fmt: skip


def program_paths(conversation: Conversation) -> set[str]:
    """Return the addresses that take JSON: those of the Messenger and of the API that accept
    POST."""
    return {
        path
        for path in paths(conversation, "x")
        if path.startswith(PROGRAMS) and "/x/" not in path and "/unsubscribe/" not in path
    }


def test_every_json_entry_point_has_a_sample(
    client: Client, website: Website, conversation: Conversation
) -> None:
    sent = payloads(website, conversation)
    for path in program_paths(conversation) - set(sent):
        with undone(client):
            answer = client.post(path, b"{}", content_type="application/json")
        assert answer.status_code in {401, 404, 405}, f"{path} takes JSON: add a sample of it"


def test_no_value_in_a_json_field_causes_a_server_error(
    client: Client, website: Website, conversation: Conversation
) -> None:
    failed = []
    key = keys.make(website, "shop")[1]
    for path, whole in payloads(website, conversation).items():
        more = hostile.names_read_by(sys.modules[str(resolve(path).func.__module__)]) - set(whole)
        for value in [*hostile.TEXTS, *hostile.WRONG]:
            others = more if value == hostile.ODD else ()
            sent = [*hostile.replaced(whole, value), *((n, whole | {n: value}) for n in others)]
            for field, one in sent:
                with undone(client):
                    try:
                        answer = post_json(client, path, hostile.dumped(one), key)
                        if not is_fine(answer, path):
                            failed.append((path, field, value, answer.status_code))
                    except Exception as error:
                        failed.append((path, field, value, repr(error)[:200]))
    assert failed == [], "\n".join(str(one)[:300] for one in failed)


def test_no_json_body_causes_a_server_error(
    client: Client, website: Website, conversation: Conversation
) -> None:
    failed = []
    key = keys.make(website, "shop")[1]
    for path, whole in payloads(website, conversation).items():
        for body in hostile.BODIES:
            for headers in ({}, hostile.HEADERS):
                with undone(client):
                    answer = post_json(client, path, body, key, **headers)
                is_too_large = len(body) < 2**20 or not whole or answer.status_code in {403, 413}
                if not is_fine(answer, path) or not is_too_large:
                    failed.append((path, body[:20], answer.status_code))
    assert failed == [], "\n".join(str(one)[:300] for one in failed)


def post_json(client: Client, path: str, body: bytes, key: str, **headers: str) -> HttpResponse:
    bearer = key if path.startswith("/api/v1/transactions") else "a token"
    all_headers = {"Authorization": f"Bearer {bearer}"} | headers
    return client.post(path, body, content_type="application/json", headers=all_headers)


def test_a_page_title_cut_in_an_emoji_is_stored(client: Client, visitor: Visitor) -> None:
    sent = {"url": "https://testserver/p", "title": "x" * 199 + "\ud83d", "view": {}}
    answer = client.post(
        "/messenger/celeste/seen/",
        hostile.dumped(sent),
        content_type="application/json",
        headers={"Authorization": "Bearer a token"},
    )
    assert answer.status_code == 204
    assert SeenPage.objects.get().title == "x" * 199


def test_oversized_and_unreadable_forms_get_an_error(client: Client) -> None:
    large = client.post("/desk/boxes/size/", {"small": "x" * 3_000_000})
    assert large.status_code == 413
    assert "too large" in large.content.decode()
    broken = client.post("/desk/boxes/size/", b"--x", content_type=FORM)
    assert broken.status_code == 400
    api = client.post("/messenger/celeste/seen/", b"x", content_type="multipart/form-data")
    assert (api.status_code, api.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    "path", ["/desk/%00/", "/api/v1/transactions/a%00b/", "/messenger/%00/state/"]
)
def test_a_path_with_nul_is_refused(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert is_fine(answer, path)


def test_a_session_cookie_with_nul_is_ignored(client: Client) -> None:
    stranger = Client(headers={"Cookie": "sessionid=a\0bcdefghijk"})
    assert stranger.get("/desk/").status_code == 302


def test_the_database_refuses_unclean_text(client: Client, conversation: Conversation) -> None:
    """The walk above relies on PostgreSQL refusing unclean text."""
    with connection.cursor() as cursor, pytest.raises(Exception, match=r"NUL|surrogate"):
        cursor.execute("SELECT %s", ["\0"])
