"""Any body at the raw entry points and any frame at the sockets, without leaked connections."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.core.cache import cache
from django.db import connections
from django.test import Client

import desk.consumers
import messenger.consumers
from config.application import application, http
from conversations.models import Conversation
from core.db import async_pool
from messenger import tickets
from routing import snapshot_cache
from routing.models import DeskConnection
from tests import hostile
from tests.factories import AgentFactory, StepFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
FRAMES = [
    "{",
    "[]",
    '"x"',
    "{" * 1000,
    '{"a":' * 600 + "1" + "}" * 600,
    "[" * 4000,
    '{"type": NaN}',
    '{"type": "typing", "type": "typing"}',
    "x" * 5000,
]


def scene() -> dict[str, Any]:
    cache.clear()
    step = StepFactory(rule__website__key="celeste", rule__website__domains=["testserver"])
    agent = AgentFactory()
    step.group.members.add(agent)
    visitor = VisitorFactory(website=step.rule.website, token="a token", agrees=True)
    conversation = on_desk(step, agent, visitor=visitor)
    client = Client()
    client.force_login(agent.user)
    return {
        "conversation": conversation,
        "agent": agent,
        "cookie": f"sessionid={client.cookies['sessionid'].value}".encode(),
        "visitor": visitor,
    }


async def close_connections() -> None:
    await snapshot_cache.close()
    await async_pool.close()
    await sync_to_async(connections.close_all)()


async def post(path: str, body: bytes, *headers: tuple[bytes, bytes]) -> tuple[int, Any]:
    kind = b"text/plain" if path.endswith("engagement/") else b"application/json"
    all_headers = [*ORIGIN, (b"content-type", kind), *headers]
    answer = await HttpCommunicator(
        http, "POST", path, body=body, headers=all_headers
    ).get_response(20)
    return answer["status"], json.loads(answer["body"]) if answer["body"] else None


def bodies(payload: dict[str, Any]) -> list[bytes]:
    values = [*hostile.TEXTS, *hostile.WRONG]
    one_wrong = [hostile.dumped(sent) for v in values for _, sent in hostile.replaced(payload, v)]
    return [*one_wrong, *(body for body in hostile.BODIES if len(body) < 2**20), b"x" * 70_000]


async def test_no_body_at_a_raw_entry_point_causes_a_server_error() -> None:
    here = await sync_to_async(scene)()
    conversation: Conversation = here["conversation"]
    mine = (b"authorization", b"Bearer a token")
    message = {"client_id": str(uuid.uuid4()), "body": "x", "attachment": None}
    view = {"url": "http://testserver/", "language": "fr", "data": {"a": "b"}, "again": True}
    base = f"/messenger/celeste/conversations/{conversation.public_id}"
    requests: list[tuple[str, dict[str, Any], list[tuple[bytes, bytes]]]] = [
        (f"{base}/messages/", message, [mine]),
        (f"{base}/read/", {"seq": 1}, [mine]),
        (f"/desk/c/{conversation.pk}/messages/", message, [(b"cookie", here["cookie"])]),
        (f"/desk/c/{conversation.pk}/read/", {"seq": 1}, [(b"cookie", here["cookie"])]),
        ("/messenger/celeste/engagement/", view, []),
    ]
    failed = []
    try:
        for path, payload, headers in requests:
            for body in bodies(payload):
                status, content = await post(path, body, *headers)
                is_valid = status < 400 or (
                    content["error"]["code"] and content["error"]["message"]
                )
                if status >= 500 or not is_valid:
                    failed.append((path, body[:40], status))
        for cookie in (b"sessionid=a\0b", b'a:b=c; sessionid="\\', b"\xff"):
            status, content = await post("/desk/c/1/read/", b"{}", (b"cookie", cookie))
            assert (status, content["error"]["code"]) == (401, "session")
    finally:
        await close_connections()
    assert failed == []


def names_read_by_sockets() -> set[str]:
    return hostile.names_read_by(messenger.consumers) | hostile.names_read_by(desk.consumers)


def frames() -> list[str]:
    names = sorted(names_read_by_sockets() | {"type", "conversation", "on"})
    whole = {name: "typing" if name == "type" else 1 for name in names}
    values = [*hostile.WRONG, hostile.ODD]
    one_wrong = [json.dumps(f) for value in values for _, f in hostile.replaced(whole, value)]
    return [*FRAMES, *one_wrong]


@pytest.mark.parametrize("face", ["desk", "messenger"])
async def test_no_frame_breaks_a_socket_or_leaves_a_connection_open(face: str) -> None:
    here = await sync_to_async(scene)()
    try:
        for frame in frames():
            path, headers = "/ws/desk/", [*ORIGIN, (b"cookie", here["cookie"])]
            if face == "messenger":
                ticket = await sync_to_async(tickets.issue)(here["visitor"].pk)
                path, headers = f"/ws/messenger/?ticket={ticket}", ORIGIN
            socket = WebsocketCommunicator(application, path, headers=headers)
            assert (await socket.connect(20))[0]
            assert json.loads(await socket.receive_from(20)) == {"type": "ready"}
            await socket.send_to(text_data=frame)
            await asyncio.sleep(0)
            await socket.disconnect(timeout=20)
        if face == "desk":
            assert await DeskConnection.objects.filter(closed_at=None).acount() == 0
    finally:
        await close_connections()


async def test_a_cancelled_socket_leaves_no_open_connection() -> None:
    """However a socket ends, it no longer counts its agent as connected, and its heartbeat
    stops."""
    here = await sync_to_async(scene)()
    try:
        headers = [*ORIGIN, (b"cookie", here["cookie"])]
        socket = WebsocketCommunicator(application, "/ws/desk/", headers=headers)
        assert (await socket.connect(20))[0]
        await socket.receive_from(20)
        assert await DeskConnection.objects.filter(closed_at=None).acount() == 1
        socket.future.cancel()
        await asyncio.wait([socket.future], timeout=20)
        assert await DeskConnection.objects.filter(closed_at=None).acount() == 0
    finally:
        await close_connections()
