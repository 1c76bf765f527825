"""The base class of the WebSocket consumers: pings, frames, pushes from the channel layer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from time import monotonic
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from core.monitoring import processes
from core.realtime import channel_health
from core.realtime.channel_groups import encode
from core.realtime.socket_limits import FrameBudget
from core.text.strict_json import Malformed, parse

logger = logging.getLogger(__name__)

PING_SECONDS = 20
FRAME_BYTES = 4096  # Our clients send only small frames, but for those of calls.


class LiveConsumer(AsyncWebsocketConsumer):
    """A push-only socket that joins the channel groups of its audience and forwards their frames.

    Subclasses decide who may connect (``authorize``), what a heartbeat does, and which frames from
    the client they handle (``on_receive``). No client frame becomes an event of the layer.
    """

    groups_joined: tuple[str, ...] = ()
    is_authorized = is_counted = has_left = False
    heartbeat_seconds = 10
    frame_bytes = FRAME_BYTES
    _beating: asyncio.Task[None] | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.budget = FrameBudget()

    async def authorize(self) -> tuple[str, ...] | None:
        """Return the groups this socket may listen to, or ``None`` to refuse it."""
        raise NotImplementedError

    async def on_connect(self) -> None:
        """Run once the socket is open, before the first heartbeat."""

    async def heartbeat(self) -> None:
        """Run every ``heartbeat_seconds`` while the socket is open."""

    async def on_receive(self, frame: dict[str, Any]) -> None:
        """Handle a well-formed frame from the client."""

    async def on_disconnect(self, code: int) -> None:
        """Run when a socket that was authorized has closed."""

    async def connect(self) -> None:
        groups = await self.authorize()
        if groups is None:
            await self.close()
            return
        # Before joining the groups, so that ``on_disconnect`` also follows a failure to join.
        self.is_authorized = True
        await self.listen_to(*groups)
        await self.accept()
        processes.sockets[type(self).__name__] += 1
        self.is_counted = True
        channel_health.watch(self)
        await self.on_connect()
        await self.send_frame({"type": "ready"})
        self._beating = asyncio.create_task(self._beat())

    async def listen_to(self, *groups: str) -> None:
        """Join these groups and leave all others."""
        before, now = set(self.groups_joined), set(groups)
        self.groups_joined = tuple(before | now)  # If a step fails, all of them are left later.
        for group in now - before:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in before - now:
            await self.channel_layer.group_discard(group, self.channel_name)
        self.groups_joined = groups

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also after an exception: a dead socket must not keep anyone connected.
            await self._leave(1006)

    async def disconnect(self, code: int) -> None:
        await self._leave(code)

    async def _leave(self, code: int) -> None:
        """Take back everything that connecting did, whatever of it fails: a step that raises, such
        as one that needs Valkey, must not keep the others from running."""
        if self.has_left:
            return
        self.has_left = True
        if self.is_counted:
            processes.sockets[type(self).__name__] -= 1
        # Cancelled and awaited first: a heartbeat after ``on_disconnect`` would undo it.
        if self._beating is not None:
            self._beating.cancel()
            # ``wait`` does not raise the cancellation here.
            await asyncio.wait([self._beating])
        if self.is_authorized:
            await self._attempt(self.on_disconnect(code))
        for group in self.groups_joined:
            await self._attempt(self.channel_layer.group_discard(group, self.channel_name))

    async def _attempt(self, step: Awaitable[None]) -> None:
        try:
            await step
        except Exception:
            logger.warning("a socket could not leave properly", exc_info=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.budget.admits(monotonic()):
            await self.close(4429)
            return
        frame = None
        if text_data is not None and len(text_data) <= self.frame_bytes:
            with contextlib.suppress(Malformed):
                frame = parse(text_data)
        if isinstance(frame, dict):
            await self.on_receive(frame)
        else:
            await self.close(4400)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler of a message without Channels' thread hop to close old ORM connections.
        Consumers use the ORM only in ``database_sync_to_async``, which closes them itself."""
        await getattr(self, get_handler_name(message))(message)

    async def frame(self, event: dict[str, Any]) -> None:
        """Forward a frame from the layer."""
        await self.send(event["text"])

    async def send_frame(self, frame: dict[str, Any]) -> None:
        await self.send(encode(frame))

    async def _beat(self) -> None:
        beats = 0
        while True:
            try:
                await self.heartbeat()
            except Exception:
                logger.warning("heartbeat failed, retrying at the next one", exc_info=True)
            await asyncio.sleep(self.heartbeat_seconds)
            beats += 1
            if beats * self.heartbeat_seconds % PING_SECONDS == 0:
                await self.send_frame({"type": "ping"})
