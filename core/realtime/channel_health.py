"""Health check of the channel layer: replace a silent layer and close its sockets.

A restart of Valkey drops the layer's subscriptions without an error: sockets stay open and receive
nothing. So each process sends itself a message through the layer. If it does not come back, the
layer is replaced and every socket of the process is closed as "service restart". Clients reconnect
and fetch what they missed.
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
SERVICE_RESTART = 4012  # The standard 1012 is refused by daphne: only 1000 and 3000 to 4999.


class Socket(Protocol):
    async def close(self, code: int) -> None: ...


class ConnectionMonitor:
    """The heartbeat of one event loop through the layer."""

    def __init__(self) -> None:
        self.sockets: WeakSet[Socket] = WeakSet()
        self._task: asyncio.Task[None] | None = None

    def watch(self, socket: Socket) -> None:
        """Close ``socket`` when the layer falls silent."""
        self.sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self.sockets:
            try:
                await self._beat_until_silent()
            except Exception:
                logger.warning(
                    "channel layer does not answer, reopening its sockets", exc_info=True
                )
                await self._start_anew()
                await asyncio.sleep(1)

    async def _beat_until_silent(self) -> None:
        layer = get_channel_layer()
        async with asyncio.timeout(PATIENCE_SECONDS):
            channel = await layer.new_channel("health.")
        while self.sockets:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await layer.send(channel, {"type": "health.check"})
                await layer.receive(channel)
            await asyncio.sleep(EVERY_SECONDS)

    async def _start_anew(self) -> None:
        silent = list(self.sockets)
        # At once: sockets that open from now on use the new layer, and must not be closed with
        # these.
        self.sockets = WeakSet()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await get_channel_layer().flush()
        except Exception:
            logger.warning("could not close the silent channel layer", exc_info=True)
        for socket in silent:
            try:
                await socket.close(SERVICE_RESTART)
            except Exception:
                logger.warning(
                    "could not close a socket of the silent channel layer", exc_info=True
                )


_monitors: WeakKeyDictionary[asyncio.AbstractEventLoop, ConnectionMonitor] = WeakKeyDictionary()


def watch(socket: Socket) -> None:
    """Monitor the layer for ``socket``, as long as the socket is referenced."""
    loop = asyncio.get_running_loop()
    _monitors.setdefault(loop, ConnectionMonitor()).watch(socket)
