"""The channel layer over Redis' pub/sub, without the ten wakings a second of the original.

The original asks for a message and gives up after 0.1 s, for ever, in each process; at the pace of
a support desk that was a tenth of what a message cost. Here the receiver sleeps until something
arrives. Nothing depended on its waking: a subscription goes out on the same connection while it
waits, and a connection that has gone silent is found by ``conversations.pulse``.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
)
from channels_redis.utils import _wrap_close, decode_hosts

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1  # while there is nothing to listen to
PAUSE_AFTER_ERROR_SECONDS = 1


class Connection(RedisSingleShardConnection):
    """One connection that listens as long as it takes."""

    async def _do_receiving(self) -> None:
        while True:
            try:
                if self._pubsub is None or not self._pubsub.subscribed:
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                self._receive_message(
                    await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
                )
            except Exception:
                logger.warning("the channel layer cannot listen", exc_info=True)
                await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)


class LoopLayer(RedisPubSubLoopLayer):
    """The layer of one event loop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shards: list[Connection] = [
            Connection(host, self) for host in decode_hosts(options.get("hosts"))
        ]


class Layer(RedisPubSubChannelLayer):
    """What ``CHANNEL_LAYERS`` names: one layer for each event loop of the process."""

    def _get_layer(self) -> LoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        layer: LoopLayer = self._layers[loop]
        return layer
