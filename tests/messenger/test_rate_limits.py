"""The Messenger's doors, each with its limits: a 429 in a sentence, with Retry-After."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.test import Client
from pytest_django import Settings

from accounts.models import Website
from config.asgi import application
from conversations.models import Conversation, Visitor
from core.db import async_pool
from core.rates import counters
from core.rates.windows import parse
from core.realtime.socket_limits import FRAMES
from messenger import consumers, tickets
from messenger.website_texts import sha256_of, texts_of
from routing.models import RuleStep
from tests.factories import VisitorFactory, queued
from tests.messenger.asgi.test_messages import first
from tests.messenger.conftest import Browser
from tests.messenger.test_logout import ORIGIN

LIMITS = {
    "visitors": "address 2/minute",
    "identity": "address 2/minute",
    "conversations": "visitor 2/minute",
    "messages": "visitor 2/minute",
    "tickets": "visitor 2/minute",
    "tokens": "address 2/minute",
}


@pytest.fixture(autouse=True)
def limited(settings: Settings) -> Iterator[None]:
    settings.RATE_LIMITS = {door: parse(text) for door, text in LIMITS.items()}
    counters.forget_connections()
    redis.Redis.from_url(settings.RATE_LIMIT_URL).flushdb()
    yield
    counters.forget_connections()


@pytest.fixture
async def engines_at_rest() -> AsyncIterator[None]:
    yield
    await counters.close()
    await async_pool.close()
    await sync_to_async(connections.close_all)()


def known(website: Website, browser: Browser) -> Visitor:
    browser.token = "a token"
    visitor: Visitor = VisitorFactory(website=website, token="a token", agrees=True)
    return visitor


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["visitors/", "identity/", "conversations/", "ticket/"])
def test_door_is_limited(path: str, website: Website, step: RuleStep, browser: Browser) -> None:
    known(website, browser)
    bodies = {
        "visitors/": {"language": "en", "consent": sha256_of(texts_of(website, "en")["consent"])},
        "conversations/": first(),
    }
    answers = [browser.post(path, bodies.get(path, {}), accept_language="fr") for _ in range(3)]
    assert 429 not in {answer.status_code for answer in answers[:2]}
    assert answers[2].status_code == 429
    assert 0 < int(answers[2]["Retry-After"]) <= 61
    error = answers[2].json()["error"]
    assert error["code"] == "too_many"
    assert error["message"].startswith("Trop de demandes. Réessayez dans")


@pytest.mark.django_db
def test_unknown_tokens_are_limited_and_known_ones_are_not(
    website: Website, step: RuleStep, browser: Browser
) -> None:
    known(website, browser)
    stranger = Browser(website, "guessed")
    assert [stranger.get("state/").status_code for _ in range(4)] == [401, 401, 429, 429]
    assert browser.get("state/").status_code == 200  # from the same address


@pytest.mark.django_db
def test_refusals_are_on_a_metric(website: Website, browser: Browser) -> None:
    for _ in range(4):
        browser.post("visitors/", {})
    page = Client().get("/metrics").content.decode()
    assert 'causerie_refused_requests_total{by="address",door="visitors"} 2.0' in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_messages_are_limited(website: Website, step: RuleStep, browser: Browser) -> None:
    visitor = await sync_to_async(known)(website, browser)
    talk = await sync_to_async(queued)(step, visitor=visitor)
    path = f"/messenger/celeste/conversations/{talk.public_id}/messages/"
    statuses = []
    for _ in range(3):
        status, headers, body = await asked(path, first(), token="a token")
        statuses.append(status)
    assert statuses == [201, 201, 429]
    assert body["error"]["code"] == "too_many"
    assert 0 < int(headers[b"retry-after"]) <= 61
    statuses = [(await asked(path, first(), token=f"guess {n}"))[0] for n in range(4)]
    assert statuses == [404, 404, 429, 429]


@pytest.mark.django_db
def test_three_requests_do_not_close_a_queue_of_three_places(
    website: Website, step: RuleStep, settings: Settings
) -> None:
    settings.RATE_PLACES_PERCENT = 50
    RuleStep.objects.update(places=3)
    statuses = []
    for number in range(3):
        VisitorFactory(website=website, token=f"token {number}", agrees=True)
        answer = Browser(website, f"token {number}").post("conversations/", first())
        statuses.append(answer.status_code)
    assert statuses == [201, 201, 409]
    assert answer.json()["error"]["code"] == "no_room"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_a_fetch_is_a_sign_of_life(
    website: Website, step: RuleStep, browser: Browser
) -> None:
    visitor = await sync_to_async(known)(website, browser)
    talk = await sync_to_async(queued)(step, visitor=visitor)
    mine = Conversation.objects.filter(pk=talk.pk)
    await mine.aupdate(opened_from="0" * 32)
    path = f"/messenger/celeste/conversations/{talk.public_id}/messages/"
    assert (await asked(path, {}, token="a guess", method="GET"))[0] == 404
    assert (await mine.aget()).seen_again_at is None
    assert (await asked(path, {}, token="a token", method="GET"))[0] == 200
    first_seen = (await mine.aget()).seen_again_at
    assert first_seen is not None
    await asked(path, {}, token="a token", method="GET")
    assert (await mine.aget()).seen_again_at == first_seen


async def asked(
    path: str, sent: dict[str, Any], *, token: str, method: str = "POST"
) -> tuple[int, Any, Any]:
    """Send a request to the raw endpoint; return the status, the headers and the body."""
    events: list[dict[str, Any]] = []
    incoming = [{"type": "http.request", "body": json.dumps(sent).encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        return incoming.pop()

    async def send(event: dict[str, Any]) -> None:
        events.append(event)

    headers = [
        *((b"host", b"testserver"), (b"content-type", b"application/json")),
        *((b"origin", b"http://testserver"), (b"authorization", f"Bearer {token}".encode())),
    ]
    scope = {"type": "http", "method": method, "path": path, "query_string": b""}
    client = {"client": ("192.0.2.1", 1), "headers": headers}
    await application(scope | client, receive, send)
    return events[0]["status"], dict(events[0]["headers"]), json.loads(events[1]["body"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_sockets_of_one_visitor_are_limited(
    website: Website, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(consumers.open_sockets.limits, "visitor", 2)
    visitor = await sync_to_async(known)(website, browser)
    opened = [await socket_of(visitor) for _ in range(3)]
    assert [is_open for _socket, is_open in opened] == [True, True, False]
    for socket, is_open in opened:
        if is_open:
            await socket.disconnect(timeout=20)
    assert not consumers.open_sockets._open


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_flood_of_frames_closes_the_socket(website: Website, browser: Browser) -> None:
    visitor = await sync_to_async(known)(website, browser)
    socket, _is_open = await socket_of(visitor)
    await socket.receive_from(20)
    for _ in range(FRAMES + 1):
        await socket.send_to(json.dumps({"type": "typing", "on": True}))
    closing = await socket.receive_output(20)
    assert (closing["type"], closing["code"]) == ("websocket.close", 4429)


async def socket_of(visitor: Visitor) -> tuple[WebsocketCommunicator, bool]:
    ticket = await sync_to_async(tickets.issue)(visitor.pk)
    path = f"/ws/messenger/?ticket={ticket}"
    socket = WebsocketCommunicator(application, path, headers=ORIGIN)
    return socket, (await socket.connect(20))[0]
