"""Notices a channel layer that has gone silent, and makes its sockets start anew.

After a restart of Valkey the layer's subscriptions are gone, and nothing says so: sockets stay
open and hear nothing. So each process sends itself a message through the layer; when it does not
come back, the layer is made new and every socket of the process is closed as "service restart".
Clients reconnect and fetch what they missed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5
PATIENCE_SECONDS = 5
SERVICE_RESTART = 4012  # 1012 says it, but daphne sends 1000 and 3000 to 4999 only.


class Socket(Protocol):
    async def close(self, code: int) -> None: ...


class Pulse:
    """The heartbeat of one process (one event loop) through the layer."""

    def __init__(self) -> None:
        self.sockets: WeakSet[Socket] = WeakSet()
        self._task: asyncio.Task[None] | None = None

    def watch(self, socket: Socket) -> None:
        """Have ``socket`` closed when the layer falls silent."""
        self.sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self.sockets:
            try:
                await self._beat_until_silent()
            except Exception:
                logger.warning("the channel layer is silent: its sockets start anew", exc_info=True)
                await self._start_anew()
                await asyncio.sleep(1)

    async def _beat_until_silent(self) -> None:
        layer = get_channel_layer()
        async with asyncio.timeout(PATIENCE_SECONDS):
            channel = await layer.new_channel("pulse.")
        while self.sockets:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await layer.send(channel, {"type": "pulse"})
                await layer.receive(channel)
            await asyncio.sleep(EVERY_SECONDS)

    async def _start_anew(self) -> None:
        silent = list(self.sockets)
        self.sockets = WeakSet()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await get_channel_layer().flush()
        except Exception:
            logger.warning("the silent layer could not be put away", exc_info=True)
        for socket in silent:
            try:
                await socket.close(SERVICE_RESTART)
            except Exception:
                logger.warning("a deaf socket could not be closed", exc_info=True)


_pulses: WeakKeyDictionary[asyncio.AbstractEventLoop, Pulse] = WeakKeyDictionary()


def watch(socket: Socket) -> None:
    """Watch over the layer on behalf of ``socket``, as long as it is referenced."""
    loop = asyncio.get_running_loop()
    _pulses.setdefault(loop, Pulse()).watch(socket)
