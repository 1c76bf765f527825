"""Calls over the sockets of both sides, with a real Valkey between them: signals reach the other
side's tab, and nobody else's browser can send any."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import Agent
from config.asgi import application
from conversations.calls import verbs
from conversations.calls.signals import SIGNAL_BYTES
from conversations.calls.states import Side
from conversations.lifecycle import actors
from conversations.lifecycle import verbs as lifecycle
from conversations.models import Call, Conversation
from core.db import async_pool
from messenger import tickets
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
SECONDS = 20
TAB, OTHER_TAB, THIRD_TAB = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
HELLO = {"session": "one", "hello": True}
LONG = {"session": "one", "description": {"type": "offer", "sdp": "v=0\r\n" + "a=x\r\n" * 2500}}


@dataclass
class Scene:
    conversation: Conversation
    agent: Agent
    colleague: Agent
    other: Conversation
    sockets: list[WebsocketCommunicator] = field(default_factory=list)

    async def _opened(self, path: str, *headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
        socket = WebsocketCommunicator(application, path, headers=[*ORIGIN, *headers])
        self.sockets.append(socket)
        assert (await socket.connect(SECONDS))[0]
        return socket

    async def desk(self, agent: Agent | None = None) -> WebsocketCommunicator:
        client = Client()
        await sync_to_async(client.force_login)((agent or self.agent).user)
        cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
        return await self._opened("/ws/desk/", (b"cookie", cookie))

    async def messenger(self, visitor_id: int | None = None, **how: Any) -> WebsocketCommunicator:
        visitor_id = visitor_id or self.conversation.visitor_id
        ticket = await sync_to_async(tickets.issue)(visitor_id, how.get("only"))
        return await self._opened(f"/ws/messenger/?ticket={ticket}")

    async def ring(self) -> Call:
        return await sync_to_async(verbs.begin)(
            self.conversation.pk,
            by=Side.VISITOR,
            tab=uuid.UUID(TAB),
            with_video=False,
            is_there=True,
            at=timezone.now(),
        )

    async def answered(self) -> Call:
        call = await self.ring()
        answer = sync_to_async(verbs.answer)
        return await answer(
            call.public_id, by=Side.AGENT, tab=uuid.UUID(OTHER_TAB), at=timezone.now()
        )


def _scene() -> Scene:
    cache.clear()
    step = StepFactory(rule__website__key="celeste", rule__website__calls="video")
    agent, colleague = AgentFactory(display_name="Alice"), AgentFactory()
    step.group.members.add(agent, colleague)
    visitors = [VisitorFactory(website=step.rule.website, agrees=True) for _ in range(2)]
    return Scene(
        on_desk(step, agent, visitor=visitors[0]),
        agent,
        colleague,
        on_desk(step, colleague, visitor=visitors[1]),
    )


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = await sync_to_async(_scene)()
    yield made
    for socket in made.sockets:
        await socket.disconnect(timeout=SECONDS)
    await async_pool.close()
    await sync_to_async(connections.close_all)()


async def told(socket: WebsocketCommunicator, kind: str) -> dict[str, Any]:
    """Return the next frame of this kind."""
    while True:
        frame: dict[str, Any] = json.loads(await socket.receive_from(SECONDS))
        if frame["type"] == kind:
            return frame


async def hears(socket: WebsocketCommunicator, kind: str) -> bool:
    """Return whether a frame of this kind comes within a moment."""
    while not await socket.receive_nothing(0.3):
        if json.loads(await socket.receive_from(SECONDS))["type"] == kind:
            return True
    return False


async def signal(socket: WebsocketCommunicator, call: Call, tab: str, data: object = HELLO) -> None:
    frame = {"type": "signal", "call": str(call.public_id), "tab": tab, "data": data}
    await socket.send_to(text_data=json.dumps(frame))


async def test_a_call_rings_on_all_tabs_and_stops_in_all(scene: Scene) -> None:
    desks = [await scene.desk(), await scene.desk()]
    messengers = [await scene.messenger(), await scene.messenger()]
    stranger = await scene.desk(scene.colleague)
    await scene.ring()
    for socket in desks:
        frame = await told(socket, "call")
        assert frame["conversation"] == scene.conversation.pk
        assert frame["call"]["status"] == "ringing"
    for socket in messengers:
        frame = await told(socket, "call")
        assert frame["conversation"] == str(scene.conversation.public_id)
    call = await Call.objects.aget()
    await sync_to_async(verbs.end)(call.public_id, by=Side.AGENT, at=timezone.now())
    for socket in [*desks, *messengers]:
        assert (await told(socket, "call"))["call"]["status"] == "declined"
    assert not await hears(stranger, "call")


async def test_a_page_that_is_opened_meanwhile_rings_too(scene: Scene) -> None:
    await scene.ring()
    for socket in (await scene.desk(), await scene.messenger()):
        assert (await told(socket, "call"))["call"]["status"] == "ringing"


async def test_signals_reach_the_other_side_and_its_tab(scene: Scene) -> None:
    desk, messenger = await scene.desk(), await scene.messenger()
    call = await scene.answered()
    await signal(messenger, call, TAB, LONG)
    frame = await told(desk, "signal")
    assert (frame["call"], frame["tab"], frame["data"]) == (str(call.public_id), OTHER_TAB, LONG)
    await signal(desk, call, OTHER_TAB)
    frame = await told(messenger, "signal")
    assert (frame["tab"], frame["data"]) == (TAB, HELLO)


async def test_nobody_else_can_send_a_signal(scene: Scene) -> None:
    desk, messenger = await scene.desk(), await scene.messenger()
    strangers = [await scene.desk(scene.colleague), await scene.messenger(scene.other.visitor_id)]
    by_link = await scene.messenger(only=scene.other.public_id)
    call = await scene.answered()
    for socket in strangers:
        for tab in (TAB, OTHER_TAB):
            await signal(socket, call, tab)
    await signal(by_link, call, TAB)  # of the same visitor, but for another conversation
    await signal(messenger, call, THIRD_TAB)  # a tab that takes no part
    await signal(messenger, call, TAB, {"session": "one", "run": "me"})
    await signal(messenger, call, TAB, "hello")
    assert not await hears(desk, "signal")
    assert not await hears(messenger, "signal")


async def test_no_signals_before_the_answer_nor_after_the_end(scene: Scene) -> None:
    desk, messenger = await scene.desk(), await scene.messenger()
    call = await scene.ring()
    await signal(messenger, call, TAB)
    assert not await hears(desk, "signal")
    await sync_to_async(verbs.end)(call.public_id, by=Side.VISITOR, at=timezone.now())
    await signal(messenger, call, TAB)
    assert not await hears(desk, "signal")


async def test_too_large_a_frame_closes_the_socket(scene: Scene) -> None:
    messenger = await scene.messenger()
    await messenger.send_to(text_data=json.dumps({"type": "signal", "data": "x" * SIGNAL_BYTES}))
    while (output := await messenger.receive_output(SECONDS))["type"] != "websocket.close":
        pass
    assert output["code"] == 4400


@pytest.mark.parametrize(
    ("loss", "round_trip", "stored"),
    [
        (2.5, 80.4, (2.5, 80)),
        (-1, 80, (None, 80)),
        ("2", None, (None, None)),
        (101, 1e9, (None, None)),
        (True, False, (None, None)),
    ],
)
async def test_a_tab_says_that_it_is_there_and_how_good_it_is(
    scene: Scene, loss: Any, round_trip: Any, stored: tuple[float | None, int | None]
) -> None:
    messenger = await scene.messenger()
    call = await scene.answered()
    before = call.visitor_heard_at
    frame = {
        "type": "in_call",
        "call": str(call.public_id),
        "tab": TAB,
        "loss": loss,
        "round_trip": round_trip,
    }
    await messenger.send_to(text_data=json.dumps(frame))
    assert not await hears(messenger, "call_over")
    call = await Call.objects.aget()
    assert (call.visitor_loss, call.visitor_round_trip) == stored
    assert before is not None
    assert call.visitor_heard_at is not None
    assert call.visitor_heard_at > before


async def test_a_tab_learns_that_its_call_is_over(scene: Scene) -> None:
    desk, call = await scene.desk(scene.colleague), await scene.answered()
    frame = {"type": "in_call", "call": str(call.public_id), "tab": OTHER_TAB}
    await desk.send_to(text_data=json.dumps(frame))  # a stranger's
    assert (await told(desk, "call_over"))["call"] == str(call.public_id)
    messenger = await scene.messenger()
    await sync_to_async(verbs.end)(call.public_id, by=Side.AGENT, at=timezone.now())
    await messenger.send_to(text_data=json.dumps(frame | {"tab": TAB}))
    await told(messenger, "call_over")


async def test_a_call_ends_when_its_conversation_leaves_the_desk(scene: Scene) -> None:
    messenger = await scene.messenger()
    await scene.answered()
    actor = actors.manager(scene.agent.user)
    await sync_to_async(lifecycle.release)(scene.conversation.pk, actor=actor, at=NOW)
    while (frame := await told(messenger, "call"))["call"]["status"] != "ended":
        pass
    assert frame["call"]["end"] == "moved"
