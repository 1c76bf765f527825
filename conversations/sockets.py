"""What the three sockets share: the server's ping, frames out, hints from the layer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from conversations import pulse
from conversations.layer import encode
from conversations.parsing import Malformed, parse

logger = logging.getLogger(__name__)

PING_SECONDS = 20
FRAME_BYTES = 4096  # What clients have to say is small; anything larger is not ours.


class LiveConsumer(AsyncWebsocketConsumer):
    """A socket that only shows: it joins the groups of its audience and passes their frames on.

    Subclasses say who may enter (``admit``), what a heartbeat does, and which frames of a client
    they listen to. Nothing that a client sends ever becomes an event of the layer.
    """

    groups_joined: tuple[str, ...] = ()
    has_left = False
    heartbeat_seconds = 10
    _beating: asyncio.Task[None] | None = None

    async def admit(self) -> tuple[str, ...] | None:
        """The groups this socket may hear, or ``None`` to refuse it."""
        raise NotImplementedError

    async def entered(self) -> None:
        """The socket is open; runs before the first heartbeat."""

    async def heartbeat(self) -> None:
        """Runs every ``heartbeat_seconds`` while the socket is open."""

    async def heard(self, frame: dict[str, Any]) -> None:
        """A well-formed frame of the client."""

    async def left(self, code: int) -> None:
        """The socket, once admitted, has closed."""

    async def connect(self) -> None:
        groups = await self.admit()
        if groups is None:
            await self.close()
            return
        await self.listen_to(*groups)
        await self.accept()
        pulse.watch(self)
        await self.entered()
        await self.send_frame({"type": "ready"})
        self._beating = asyncio.create_task(self._beat())

    async def listen_to(self, *groups: str) -> None:
        """Join these groups, and leave all others."""
        before, now = set(self.groups_joined), set(groups)
        for group in now - before:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in before - now:
            await self.channel_layer.group_discard(group, self.channel_name)
        self.groups_joined = groups

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Whatever ended it: nobody stays connected by a socket that is no longer there.
            await self._leave(1006)

    async def disconnect(self, code: int) -> None:
        await self._leave(code)

    async def _leave(self, code: int) -> None:
        if self.has_left:
            return
        self.has_left = True
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)
        if self.groups_joined:
            await self.left(code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        frame = None
        if text_data is not None and len(text_data) <= FRAME_BYTES:
            with contextlib.suppress(Malformed):
                frame = parse(text_data)
        if isinstance(frame, dict):
            await self.heard(frame)
        else:
            await self.close(4400)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels' own visits a thread before each message, to tidy the ORM's connections. Nothing
        here uses any outside ``database_sync_to_async``, which tidies up itself."""
        await getattr(self, get_handler_name(message))(message)

    async def frame(self, event: dict[str, Any]) -> None:
        """A frame from the layer, for this socket's audience."""
        await self.send(event["text"])

    async def send_frame(self, frame: dict[str, Any]) -> None:
        await self.send(encode(frame))

    async def _beat(self) -> None:
        beats = 0
        while True:
            try:
                await self.heartbeat()
            except Exception:
                logger.warning("a heartbeat failed; the next one follows", exc_info=True)
            await asyncio.sleep(self.heartbeat_seconds)
            beats += 1
            if beats * self.heartbeat_seconds % PING_SECONDS == 0:
                await self.send_frame({"type": "ping"})
