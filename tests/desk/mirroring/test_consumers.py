"""The two sockets of mirroring, with a real Valkey between them: frames arrive where somebody
looks, and nowhere else."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.db import connections
from django.test import Client

from accounts.models import Agent
from config.asgi import application
from conversations.lifecycle import actors, verbs
from conversations.mirroring.decisions import BURST_BYTES, CHUNK_BYTES, START, WINDOW_BYTES
from conversations.models import (
    CloseReason,
    Consent,
    Conversation,
    MirrorLook,
    Person,
    Visitor,
)
from conversations.visitors import visitor_presence
from core.db import async_pool
from core.realtime.channel_groups import desk_group, push, visitor_group
from core.realtime.consumers import LiveConsumer
from messenger import tickets
from messenger.mirroring import consumers as recorders
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
SECONDS = 20
FULL = bytes([START]) + b"a full snapshot"
MORE = bytes([0]) + b"a change"


@dataclass
class Scene:
    conversation: Conversation
    agent: Agent
    cookie: bytes
    colleague_cookie: bytes
    sockets: list[WebsocketCommunicator]

    async def socket(self, path: str, *headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
        socket = WebsocketCommunicator(application, path, headers=[*ORIGIN, *headers])
        self.sockets.append(socket)
        return socket

    async def viewer(self, cookie: bytes | None = None) -> WebsocketCommunicator:
        path = f"/ws/desk/mirror/{self.conversation.pk}/"
        return await self.socket(path, (b"cookie", cookie or self.cookie))

    async def recorder(self, **how: Any) -> WebsocketCommunicator:
        visitor = how.get("visitor", self.conversation.visitor_id)
        ticket = await sync_to_async(tickets.issue)(visitor, how.get("only"))
        return await self.socket(
            f"/ws/messenger/mirror/{self.conversation.public_id}/?ticket={ticket}"
        )


def _scene() -> Scene:
    cache.clear()
    step = StepFactory(rule__website__key="celeste", rule__website__mirrors_screen=True)
    agent, colleague = AgentFactory(display_name="Alice"), AgentFactory()
    step.group.members.add(agent, colleague)
    visitor = VisitorFactory(website=step.rule.website, agrees=True)
    Consent.objects.update(covers_mirroring=True)
    cookies = []
    for who in (agent, colleague):
        client = Client()
        client.force_login(who.user)
        cookies.append(f"sessionid={client.cookies['sessionid'].value}".encode())
    return Scene(on_desk(step, agent, visitor=visitor), agent, *cookies, [])


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = await sync_to_async(_scene)()
    yield made
    for socket in made.sockets:
        await socket.disconnect(timeout=SECONDS)
    await async_pool.close()
    await sync_to_async(connections.close_all)()


async def opened(socket: WebsocketCommunicator) -> WebsocketCommunicator:
    assert (await socket.connect(SECONDS))[0]
    assert json.loads(await socket.receive_from(SECONDS)) == {"type": "ready"}
    return socket


async def told(socket: WebsocketCommunicator) -> dict[str, Any]:
    """Return the next frame that is text, without those that only say who looks."""
    while True:
        frame: dict[str, Any] = json.loads(await socket.receive_from(SECONDS))
        if frame["type"] not in {"looks", "moved"}:
            return frame


async def in_front(socket: WebsocketCommunicator) -> None:
    await socket.send_to(text_data=json.dumps({"type": "front"}))
    while json.loads(await socket.receive_from(SECONDS)) != {"type": "front"}:
        pass


async def pair(scene: Scene) -> tuple[WebsocketCommunicator, WebsocketCommunicator]:
    viewer = await opened(await scene.viewer())
    recorder = await opened(await scene.recorder())
    await in_front(recorder)
    return viewer, recorder


async def test_frames_reach_the_agent_unread(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    await recorder.send_to(bytes_data=MORE)  # before any snapshot: nothing to add it to
    await recorder.send_to(bytes_data=FULL)
    await recorder.send_to(bytes_data=MORE)
    first, second = [await viewer.receive_output(SECONDS) for _ in range(2)]
    assert first["bytes"][4:] == FULL
    assert second["bytes"] == first["bytes"][:4] + MORE
    assert await viewer.receive_nothing(0.2)


async def test_the_visitor_learns_who_looks_and_when_they_stop(scene: Scene) -> None:
    ticket = await sync_to_async(tickets.issue)(scene.conversation.visitor_id)
    messenger = await opened(await scene.socket(f"/ws/messenger/?ticket={ticket}"))
    viewer = await opened(await scene.viewer())
    frame = {"type": "mirror", "conversation": str(scene.conversation.public_id)}
    assert json.loads(await messenger.receive_from(SECONDS)) == frame | {"names": ["Alice"]}
    await viewer.disconnect(timeout=SECONDS)
    assert json.loads(await messenger.receive_from(SECONDS)) == frame | {"names": []}
    look = await MirrorLook.objects.aget()
    assert look.end == "left"


async def test_a_page_that_is_opened_meanwhile_learns_it_too(scene: Scene) -> None:
    await opened(await scene.viewer())
    ticket = await sync_to_async(tickets.issue)(scene.conversation.visitor_id)
    messenger = await scene.socket(f"/ws/messenger/?ticket={ticket}")
    assert (await messenger.connect(SECONDS))[0]
    assert json.loads(await messenger.receive_from(SECONDS))["names"] == ["Alice"]


@pytest.mark.parametrize("is_of_other_browser", [False, True])
async def test_a_look_that_begins_while_a_page_connects_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, is_of_other_browser: bool
) -> None:
    """Between what the socket reads of its visitor and its first push, nothing may be lost."""
    visitor = scene.conversation.visitor_id
    if is_of_other_browser:
        visitor = (await sync_to_async(_other_browser)(scene.conversation)).pk
    see = visitor_presence.see

    async def look_meanwhile(browser: int) -> None:
        monkeypatch.setattr(visitor_presence, "see", see)
        await opened(await scene.viewer())
        await see(browser)

    monkeypatch.setattr(visitor_presence, "see", look_meanwhile)
    ticket = await sync_to_async(tickets.issue)(visitor)
    messenger = await scene.socket(f"/ws/messenger/?ticket={ticket}")
    assert (await messenger.connect(SECONDS))[0]
    names = None
    async with asyncio.timeout(SECONDS):
        while names is None:
            frame = json.loads(await messenger.receive_from(SECONDS))
            names = frame["names"] if frame["type"] == "mirror" else None
    assert names == ["Alice"]


def _other_browser(conversation: Conversation) -> Visitor:
    """Make the visitor known, and return another browser of theirs."""
    person = Person.objects.create(
        website=conversation.website, external_id="c-1", created_at=NOW, profile={}
    )
    Visitor.objects.filter(pk=conversation.visitor_id).update(person=person)
    other = VisitorFactory(website=conversation.website, person=person, agrees=True)
    Consent.objects.update(covers_mirroring=True)
    return other


async def test_nothing_is_recorded_while_nobody_looks(scene: Scene) -> None:
    recorder = await scene.recorder()
    assert not (await recorder.connect(SECONDS))[0]
    viewer, recorder = await pair(scene)
    await viewer.disconnect(timeout=SECONDS)
    assert await told_until_closed(recorder) == 1000


async def told_until_closed(socket: WebsocketCommunicator) -> int:
    while True:
        event = await socket.receive_output(SECONDS)
        if event["type"] == "websocket.close":
            return int(event["code"])


async def test_who_opens_a_look_requests_a_snapshot(scene: Scene) -> None:
    _viewer, recorder = await pair(scene)
    await opened(await scene.viewer())
    while (frame := await told(recorder))["type"] == "behind":
        pass
    assert frame == {"type": "snapshot"}


async def test_only_the_tab_in_front_is_shown(scene: Scene) -> None:
    viewer, back = await pair(scene)
    front = await opened(await scene.recorder())
    await in_front(front)
    assert await told(back) == {"type": "behind"}
    await back.send_to(bytes_data=FULL + b" of the tab behind")
    await front.send_to(bytes_data=FULL)
    assert (await viewer.receive_output(SECONDS))["bytes"][4:] == FULL
    assert await viewer.receive_nothing(0.2)


async def test_more_than_the_recorder_may_send_is_dropped_and_said(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    await viewer.send_to(text_data=json.dumps({"type": "received", "bytes": 0}))
    chunk = bytes([0]) + b"x" * (CHUNK_BYTES - 1)
    await recorder.send_to(bytes_data=FULL)
    for _ in range(BURST_BYTES // CHUNK_BYTES + 12):
        await recorder.send_to(bytes_data=chunk)
    frame = await told(recorder)
    assert frame["type"] == "slow"
    assert frame["ms"] >= 1000


async def test_a_slow_agent_gets_no_more_than_its_window(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    chunk = bytes([0]) + b"x" * (CHUNK_BYTES - 1)
    await recorder.send_to(bytes_data=FULL)
    for _ in range(WINDOW_BYTES // CHUNK_BYTES + 10):
        await recorder.send_to(bytes_data=chunk)
    got = 0
    while not await viewer.receive_nothing(0.3):
        got += len((await viewer.receive_output(SECONDS)).get("bytes", b""))
    assert WINDOW_BYTES - 2 * CHUNK_BYTES < got <= WINDOW_BYTES
    await viewer.send_to(text_data=json.dumps({"type": "received", "bytes": got}))
    assert await told(recorder) == {"type": "snapshot"}
    await recorder.send_to(bytes_data=FULL)
    assert (await viewer.receive_output(SECONDS))["bytes"][4:] == FULL


@pytest.mark.parametrize("size", [1, CHUNK_BYTES + 1])
async def test_a_frame_of_another_size_closes_the_recorder(scene: Scene, size: int) -> None:
    _viewer, recorder = await pair(scene)
    await recorder.send_to(bytes_data=b"x" * size)
    assert await told_until_closed(recorder) == 4400


async def test_the_desk_cannot_send_frames(scene: Scene) -> None:
    viewer, _recorder = await pair(scene)
    other = await opened(await scene.viewer())
    await viewer.send_to(bytes_data=FULL)
    assert await told_until_closed(viewer) == 4400
    while not await other.receive_nothing(0.2):
        assert "bytes" not in await other.receive_output(SECONDS)


async def test_a_colleague_who_does_not_hold_it_is_refused(scene: Scene) -> None:
    viewer = await scene.viewer(scene.colleague_cookie)
    assert (await viewer.connect(SECONDS))[0]
    assert json.loads(await viewer.receive_from(SECONDS)) == {"type": "refused", "why": "not_yours"}
    assert await told_until_closed(viewer) == 4403
    assert not await MirrorLook.objects.aexists()


async def test_strangers_are_refused(scene: Scene) -> None:
    stranger = await sync_to_async(VisitorFactory)()
    await opened(await scene.viewer())
    path = f"/ws/desk/mirror/{scene.conversation.pk}/"
    for socket in (
        await scene.socket(path),
        await scene.viewer(b"sessionid=nobody"),
        await scene.recorder(visitor=stranger.pk),
        await scene.socket(f"/ws/messenger/mirror/{scene.conversation.public_id}/?ticket=x"),
        WebsocketCommunicator(application, path, headers=[(b"cookie", scene.cookie)]),
        WebsocketCommunicator(
            application,
            path,
            headers=[ORIGIN[0], (b"origin", b"http://evil.example"), (b"cookie", scene.cookie)],
        ),
    ):
        assert not (await socket.connect(SECONDS))[0]


async def test_the_recorders_of_one_browser_are_bounded(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recorders.open_sockets.limits, "visitor", 2)
    await opened(await scene.viewer())
    first, _second = [await opened(await scene.recorder()) for _ in range(2)]
    assert not (await (await scene.recorder()).connect(SECONDS))[0]
    await first.disconnect(timeout=SECONDS)
    await opened(await scene.recorder())


async def test_a_link_to_another_conversation_records_nothing(scene: Scene) -> None:
    await opened(await scene.viewer())
    recorder = await scene.recorder(only=uuid.uuid4())
    assert not (await recorder.connect(SECONDS))[0]


async def test_the_visitors_stop_closes_the_view_and_says_so(scene: Scene) -> None:
    viewer, _recorder = await pair(scene)
    token = await sync_to_async(_token_of)(scene.conversation)
    path = f"/messenger/celeste/conversations/{scene.conversation.public_id}/mirror/stop/"
    response = await sync_to_async(_post)(path, token)
    assert response == 204
    assert await told(viewer) == {"type": "over", "why": "stopped"}
    again = await scene.viewer()
    assert (await again.connect(SECONDS))[0]
    assert json.loads(await again.receive_from(SECONDS)) == {"type": "refused", "why": "stopped"}


def _token_of(conversation: Conversation) -> str:
    visitor = conversation.visitor
    visitor.token_hash = hashlib.sha256(b"their token").hexdigest()
    visitor.save()
    return "their token"


def _post(path: str, token: str, body: dict[str, Any] | None = None) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    sent = json.dumps(body or {})
    return Client().post(path, sent, content_type="application/json", headers=headers).status_code


async def test_a_withdrawal_in_another_browser_closes_the_view_before_any_heartbeat(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveConsumer, "heartbeat_seconds", 3600)
    viewer, recorder = await pair(scene)
    second_tab = await opened(await scene.recorder())
    token = await sync_to_async(_token_of_another_browser)(scene.conversation)
    withdrawal = {"given": False}
    assert await sync_to_async(_post)("/messenger/celeste/consent/", token, withdrawal) == 200
    assert await told(viewer) == {"type": "over", "why": "revoked"}
    assert await told_until_closed(viewer) == 4403
    assert [await told_until_closed(one) for one in (recorder, second_tab)] == [1000, 1000]
    assert (await MirrorLook.objects.aget()).end == "revoked"


def _token_of_another_browser(conversation: Conversation) -> str:
    person = Person.objects.create(
        website=conversation.website, external_id="jeanne", created_at=NOW
    )
    Visitor.objects.filter(pk=conversation.visitor_id).update(person=person)
    VisitorFactory(website=conversation.website, person=person, token="of the phone")
    return "of the phone"


async def test_nobody_stops_the_mirroring_of_others(scene: Scene) -> None:
    await opened(await scene.viewer())
    stranger = await sync_to_async(VisitorFactory)(
        website_id=scene.conversation.website_id, token="a stranger's"
    )
    assert stranger.pk
    path = f"/messenger/celeste/conversations/{scene.conversation.public_id}/mirror/stop/"
    assert await sync_to_async(_post)(path, "a stranger's") == 404
    assert await MirrorLook.objects.filter(ended_at=None).aexists()


async def test_a_closed_conversation_closes_the_view(scene: Scene) -> None:
    viewer, _recorder = await pair(scene)
    await sync_to_async(verbs.close)(
        scene.conversation.pk,
        reason=CloseReason.RESOLVED,
        actor=actors.agent(scene.agent.user),
        at=NOW,
    )
    assert await told(viewer) == {"type": "over", "why": "revoked"}


async def test_messages_do_not_pass_the_sockets_of_mirroring(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    while not await recorder.receive_nothing(0.2):
        await recorder.receive_output(SECONDS)
    await asyncio.sleep(0)
    for group in (visitor_group(scene.conversation.visitor_id), desk_group(scene.agent.pk)):
        await push(group, {"type": "message", "conversation": 1, "message": {}})
    assert await viewer.receive_nothing(0.2)
    assert await recorder.receive_nothing(0.2)


async def test_customers_logout_ends_the_recording_of_this_browser(scene: Scene) -> None:
    token = await sync_to_async(_token_of)(scene.conversation)
    person = await Person.objects.acreate(
        website_id=scene.conversation.website_id, external_id="42", created_at=NOW
    )
    await Visitor.objects.filter(pk=scene.conversation.visitor_id).aupdate(person=person)
    viewer, recorder = await pair(scene)
    by_link = await opened(await scene.recorder(only=scene.conversation.public_id))
    ticket = await sync_to_async(tickets.issue)(
        scene.conversation.visitor_id, token_hash=hashlib.sha256(token.encode()).hexdigest()
    )
    assert await sync_to_async(_post)("/messenger/celeste/logout/", token) == 200
    assert await told_until_closed(recorder) == 4401
    address = f"/ws/messenger/mirror/{scene.conversation.public_id}/?ticket={ticket}"
    assert not (await (await scene.socket(address)).connect(SECONDS))[0]
    # A link in an e-mail still opens its conversation.
    await in_front(by_link)
    await by_link.send_to(bytes_data=FULL)
    assert (await viewer.receive_from(SECONDS))[4:] == FULL


async def test_of_two_tabs_the_last_claim_is_in_front_whatever_arrives_late(scene: Scene) -> None:
    viewer, early = await pair(scene)
    late = await opened(await scene.recorder())
    for socket in (early, late):  # Both claim before either hears of the other.
        await socket.send_to(text_data=json.dumps({"type": "front"}))
    while json.loads(await late.receive_from(SECONDS)) != {"type": "front"}:
        pass
    while await told(early) != {"type": "behind"}:
        pass
    await early.send_to(bytes_data=FULL + b" of the tab behind")
    await late.send_to(bytes_data=FULL)
    assert (await viewer.receive_output(SECONDS))["bytes"][4:] == FULL
