"""Co-browsing on the two sockets of mirroring: actions reach the page that the agent saw, only what
is allowed, and only once the visitor has accepted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.test import Client

from accounts.models import Website
from conversations.models import CobrowsingAct, CobrowsingSession
from core.db import async_pool
from messenger import tickets
from tests.desk.mirroring.test_consumers import (
    FULL,
    SECONDS,
    Scene,
    _scene,
    _token_of,
    opened,
    pair,
    told,
)

pytestmark = pytest.mark.django_db(transaction=True)
CLICK = {"type": "act", "key": 5, "kind": "click", "node": 7, "tag": "button", "label": "Buy"}


def _allowed() -> Scene:
    scene = _scene()
    Website.objects.update(cobrowsing=["point", "click"])
    return scene


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = await sync_to_async(_allowed)()
    yield made
    for socket in made.sockets:
        await socket.disconnect(timeout=SECONDS)
    await async_pool.close()
    await sync_to_async(connections.close_all)()


async def send(socket: WebsocketCommunicator, frame: dict[str, Any]) -> None:
    await socket.send_to(text_data=json.dumps(frame))


async def until(socket: WebsocketCommunicator, kind: str) -> dict[str, Any]:
    while True:
        frame = await told(socket)
        if frame["type"] == kind:
            return frame


def _post(path: str, token: str, data: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    body = json.dumps(data)
    return Client().post(path, body, content_type="application/json", headers=headers).status_code


async def page_of(viewer: WebsocketCommunicator, recorder: WebsocketCommunicator) -> str:
    await recorder.send_to(bytes_data=FULL)
    while True:
        output = await viewer.receive_output(SECONDS)
        if output.get("bytes"):
            return bytes(output["bytes"][:4]).hex()


async def accepted(scene: Scene, viewer: WebsocketCommunicator) -> tuple[str, str]:
    """Ask and accept; return the address of the visitor's answers, and their token."""
    await send(viewer, {"type": "ask"})
    assert (await until(viewer, "cobrowsing"))["state"] == "asked"
    token = await sync_to_async(_token_of)(scene.conversation)
    path = f"/messenger/celeste/conversations/{scene.conversation.public_id}/cobrowsing/"
    session = await CobrowsingSession.objects.aget()
    answer = {"session": session.pk, "accepts": True}
    assert await sync_to_async(_post)(path, token, answer) == 204
    turned = await until(viewer, "cobrowsing")
    assert (turned["state"], turned["allowed"]) == ("on", ["point", "click"])
    return path, token


async def test_an_action_reaches_the_page_and_its_outcome_the_agent(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    page = await page_of(viewer, recorder)
    await accepted(scene, viewer)
    await send(viewer, {"type": "point", "x": 3, "y": 4, "page": page})
    assert await until(recorder, "point") == {"type": "point", "x": 3, "y": 4}
    await send(viewer, CLICK | {"page": page})
    assert await until(viewer, "acting") == {"type": "acting", "key": 5, "number": 1}
    assert await until(recorder, "act") == {
        "type": "act",
        "number": 1,
        "kind": "click",
        "node": 7,
        "tag": "button",
        "label": "Buy",
    }
    done = {"type": "acted", "number": 1, "outcome": "done", "target": "Buy"}
    await send(recorder, done)
    assert await until(viewer, "acted") == done
    act = await CobrowsingAct.objects.aget()
    assert (act.kind, act.outcome, act.target) == ("click", "done", "Buy")


async def test_before_the_visitor_accepts_nothing_reaches_the_page(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    page = await page_of(viewer, recorder)
    await send(viewer, {"type": "ask"})
    await until(viewer, "cobrowsing")
    await send(viewer, {"type": "point", "x": 3, "y": 4, "page": page})
    await send(viewer, CLICK | {"page": page})
    refused = {"type": "acted", "key": 5, "outcome": "not_allowed"}
    assert await until(viewer, "acted") == refused
    await _only_other_frames(recorder)
    assert not await CobrowsingAct.objects.aexists()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "fill", "text": "x"},
        {"kind": "submit"},
        {"kind": "point"},
        {"node": "7"},
        {"kind": "link"},
    ],
)
async def test_what_is_not_allowed_is_refused_by_the_server(
    scene: Scene, change: dict[str, Any]
) -> None:
    viewer, recorder = await pair(scene)
    page = await page_of(viewer, recorder)
    await accepted(scene, viewer)
    await send(viewer, CLICK | change | {"page": page})
    refused = {"type": "acted", "key": 5, "outcome": "not_allowed"}
    assert await until(viewer, "acted") == refused
    await _only_other_frames(recorder)


async def test_an_action_on_another_page_is_refused(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    await accepted(scene, viewer)
    await send(viewer, CLICK | {"page": "00000000"})
    assert (await until(viewer, "acted"))["outcome"] == "changed"
    await _only_other_frames(recorder)


async def test_the_visitors_stop_ends_it_and_the_agent_still_sees_the_page(scene: Scene) -> None:
    viewer, recorder = await pair(scene)
    page = await page_of(viewer, recorder)
    path, token = await accepted(scene, viewer)
    assert await sync_to_async(_post)(f"{path}stop/", token, {}) == 204
    over = await until(viewer, "cobrowsing")
    assert (over["state"], over["why"]) == ("over", "stopped")
    await send(viewer, CLICK | {"page": page})
    assert (await until(viewer, "acted"))["outcome"] == "not_allowed"
    await recorder.send_to(bytes_data=FULL)
    assert (await viewer.receive_output(SECONDS))["bytes"][4:] == FULL


async def test_only_the_visitor_answers_and_only_what_is_asked(scene: Scene) -> None:
    viewer, _recorder = await pair(scene)
    path, token = await accepted(scene, viewer)
    session = await CobrowsingSession.objects.aget()
    post = sync_to_async(_post)
    assert await post(path, token, {"session": session.pk, "accepts": True}) == 409
    assert await post(path, token, {"session": str(session.pk), "accepts": True}) == 400
    assert await post(path, token, {"session": session.pk, "accepts": 1}) == 400
    for address in (path, f"{path}stop/"):
        assert await post(address, "nobody's", {"session": 1, "accepts": True}) == 401
    session = await CobrowsingSession.objects.aget()
    assert session.ended_at is None


async def test_a_page_that_is_opened_meanwhile_learns_of_the_session(scene: Scene) -> None:
    viewer, _recorder = await pair(scene)
    await accepted(scene, viewer)
    ticket = await sync_to_async(tickets.issue)(scene.conversation.visitor_id)
    messenger = await scene.socket(f"/ws/messenger/?ticket={ticket}")
    assert (await messenger.connect(SECONDS))[0]
    frame = await until(messenger, "cobrowsing")
    assert frame["conversation"] == str(scene.conversation.public_id)
    assert frame["session"]["is_on"] is True
    assert (frame["session"]["name"], frame["session"]["allowed"]) == ("Alice", ["point", "click"])


async def test_why_an_agent_cannot_ask_is_said(scene: Scene) -> None:
    viewer = await opened(await scene.viewer())
    await Website.objects.aupdate(cobrowsing=[])
    await send(viewer, {"type": "ask"})
    refused = {"type": "cobrowsing", "state": "refused", "why": "cobrowsing_off"}
    assert await until(viewer, "cobrowsing") == refused


async def _only_other_frames(recorder: WebsocketCommunicator) -> None:
    while not await recorder.receive_nothing(0.3):
        frame = json.loads((await recorder.receive_output(SECONDS))["text"])
        assert frame["type"] not in {"act", "point"}
