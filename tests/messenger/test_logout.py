"""A customer logs out of the brand's site: that browser's sockets end, and no others (N12)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.db import connections
from django.test import Client

from config.asgi import application
from conversations.models import Person, Visitor
from core.db import async_pool
from messenger import tickets
from tests.clock import NOW
from tests.factories import VisitorFactory, WebsiteFactory

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = [(b"host", b"testserver"), (b"origin", b"http://testserver")]


@pytest.fixture(autouse=True)
async def engines_at_rest() -> AsyncIterator[None]:
    yield
    await async_pool.close()
    await sync_to_async(connections.close_all)()


def customer() -> tuple[Visitor, Visitor]:
    """Return two browsers of one person, with the tokens ``one`` and ``other``."""
    cache.clear()
    website = WebsiteFactory(key="celeste", domains=["testserver"])
    person = Person.objects.create(website=website, external_id="42", created_at=NOW)
    one, other = (
        VisitorFactory(website=website, token=token, agrees=True, person=person)
        for token in ("one", "other")
    )
    return one, other


def asked(what: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    address = f"/messenger/celeste/{what}/"
    return Client().post(address, {}, content_type="application/json", headers=headers)


async def opened(ticket: str) -> WebsocketCommunicator:
    path = f"/ws/messenger/?ticket={ticket}"
    socket = WebsocketCommunicator(application, path, headers=ORIGIN)
    assert (await socket.connect(20))[0]
    assert json.loads(await socket.receive_from(20)) == {"type": "ready"}
    return socket


async def ticket_of(token: str) -> str:
    answer = await sync_to_async(asked)("ticket", token)
    return str(answer.json()["ticket"])


async def test_logout_closes_sockets_of_this_browser_only() -> None:
    one, _other = await sync_to_async(customer)()
    mine = [await opened(await ticket_of("one")) for _ in range(2)]
    elsewhere = await opened(await ticket_of("other"))
    by_link = await opened(await sync_to_async(tickets.issue)(one.pk, one.public_id))
    answer = await sync_to_async(asked)("logout", "one")
    assert answer.json() == {"forgotten": True}
    for socket in mine:
        assert json.loads(await socket.receive_from(20)) == {"type": "logout"}
        closing = await socket.receive_output(20)
        assert (closing["type"], closing["code"]) == ("websocket.close", 4401)
    for socket in (elsewhere, by_link):
        assert await socket.receive_nothing(0.3)
        await socket.disconnect(timeout=20)


async def test_ticket_issued_before_logout_is_refused() -> None:
    await sync_to_async(customer)()
    ticket = await ticket_of("one")
    await sync_to_async(asked)("logout", "one")
    path = f"/ws/messenger/?ticket={ticket}"
    socket = WebsocketCommunicator(application, path, headers=ORIGIN)
    assert not (await socket.connect(20))[0]
