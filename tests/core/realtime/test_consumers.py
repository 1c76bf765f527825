"""Sockets that fail: whatever a consumer raises, its ``on_disconnect`` runs, and nothing of it
stays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from core.realtime.consumers import LiveConsumer

pytestmark = pytest.mark.usefixtures("layer")


class Fault(Exception):
    pass


@pytest.fixture
async def layer() -> Any:
    channel_layer = get_channel_layer()
    yield channel_layer
    await channel_layer.flush()


class Socket(LiveConsumer):
    """A socket that raises in the step that ``fails`` names."""

    fails = ""
    heartbeat_seconds = 1
    left: int = 0

    def fail(self, step: str) -> None:
        if self.fails == step:
            raise Fault(step)

    async def authorize(self) -> tuple[str, ...] | None:
        self.fail("authorize")
        return () if self.fails == "nothing" else ("faults.one", "faults.two")

    async def on_connect(self) -> None:
        self.fail("on_connect")

    async def heartbeat(self) -> None:
        self.fail("heartbeat")

    async def on_receive(self, frame: dict[str, Any]) -> None:
        self.fail("on_receive")

    async def frame(self, event: dict[str, Any]) -> None:
        self.fail("frame")

    async def on_disconnect(self, code: int) -> None:
        type(self).left += 1
        self.fail("on_disconnect")


async def lived(socket: Socket, *, cut: bool = False) -> None:
    """Run ``socket`` through everything that can happen to it, until the client goes."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(event: dict[str, Any]) -> None:
        if event["type"] == "websocket.send" and socket.fails == "send":
            raise Fault("send")

    life = asyncio.ensure_future(socket({"type": "websocket"}, incoming.get, send))
    await incoming.put({"type": "websocket.connect"})
    await asyncio.sleep(0.2)
    await incoming.put({"type": "websocket.receive", "text": "{}"})
    await get_channel_layer().group_send("faults.one", {"type": "frame", "text": "{}"})
    await asyncio.sleep(0.2)
    if cut:
        life.cancel()
    else:
        await incoming.put({"type": "websocket.disconnect", "code": 1006})
    await asyncio.wait([life], timeout=10)
    assert life.done()
    if not life.cancelled():
        life.exception()


STEPS = ["nothing", "on_connect", "heartbeat", "on_receive", "frame", "send", "on_disconnect", ""]


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("step", STEPS)
async def test_consumer_disconnects_once_whatever_it_raises(
    step: str, cut: bool, layer: Any
) -> None:
    kind = type("One", (Socket,), {"fails": step})
    socket = kind()
    await lived(socket, cut=cut)
    assert kind.left == 1
    assert socket._beating is None or socket._beating.done()
    assert not {group for group in layer.groups if group.startswith("faults.")}


async def test_refused_socket_runs_no_disconnect() -> None:
    kind = type("One", (Socket,), {"fails": "authorize"})
    await lived(kind())
    assert kind.left == 0


async def test_failing_layer_leaves_nobody_connected(
    layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when Valkey is away: the groups cannot be left, and the agent is gone all the same."""

    async def refuse(group: str, channel: str) -> None:
        raise Fault("no layer")

    kind = type("One", (Socket,), {})
    monkeypatch.setattr(layer, "group_discard", refuse, raising=False)
    await lived(kind())
    assert kind.left == 1


async def test_groups_are_left_even_if_only_some_were_joined(
    layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = layer.group_add

    async def add_one(group: str, channel: str) -> None:
        if joined:
            raise Fault("no layer")
        joined.append(group)
        await add(group, channel)

    joined: list[str] = []
    monkeypatch.setattr(layer, "group_add", add_one, raising=False)
    kind = type("One", (Socket,), {})
    await lived(kind())
    assert kind.left == 1
    assert not {group for group in layer.groups if group.startswith("faults.")}
