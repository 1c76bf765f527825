"""The channel layer over Redis' pub/sub, made for many small pushes.

The original asks for a message and gives up after 0.1 s, for ever, in each process; at the pace of
a support desk that was a tenth of what a message cost. Here the receiver sleeps until something
arrives. Nothing depended on its waking: a subscription goes out on the same connection while it
waits, and a connection that has gone silent is found by ``core.realtime.channel_health``.

And it sends one by one, each through a pool of connections and a round trip of its own. Here one
connection speaks, and what belongs together goes out in one write.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from typing import Any

from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
)
from channels_redis.utils import _wrap_close, decode_hosts
from redis.exceptions import ConnectionError as CutError

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1  # while there is nothing to listen to
PAUSE_AFTER_ERROR_SECONDS = 1


Pushes = Sequence[tuple[str, dict[str, Any]]]


class Connection(RedisSingleShardConnection):
    """One connection that listens as long as it takes, and one that speaks."""

    _voice: Any = None

    async def publish_all(self, told: Sequence[tuple[str, bytes]]) -> None:
        """Publish each (channel, message) in order, in one write. What was cut off half-way is
        said again, once: who hears it twice knows it by its number."""
        async with self._lock:
            self._ensure_redis()
            if self._voice is None:
                self._voice = await self._redis.connection_pool.get_connection()
            words = [part for one in told for part in self._voice.pack_command("PUBLISH", *one)]
            try:
                await self._say(words, len(told))
            except CutError:
                await self._say(words, len(told))

    async def _say(self, words: list[bytes], count: int) -> None:
        try:
            await self._voice.send_packed_command(words, check_health=False)
            for _ in range(count):
                await self._voice.read_response(timeout=math.inf)
        except BaseException:
            # Whatever it was, answers of this may still come: they are nobody's any more.
            await self._voice.disconnect(nowait=True)
            raise

    async def flush(self) -> None:
        self._voice = None
        await super().flush()

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

    async def send_all(self, pushes: Pushes) -> None:
        """Send each message to its group, in order, in one round trip (for each shard)."""
        told: dict[Connection, list[tuple[str, bytes]]] = {}
        for group, message in pushes:
            channel = self._get_group_channel_name(group)
            written = self.channel_layer.serialize(message)
            told.setdefault(self._get_shard(channel), []).append((channel, written))
        for shard, some in told.items():
            await shard.publish_all(some)


class Layer(RedisPubSubChannelLayer):
    """What ``CHANNEL_LAYERS`` names: one layer for each event loop of the process."""

    def _get_layer(self) -> LoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        layer: LoopLayer = self._layers[loop]
        return layer

    async def send_all(self, pushes: Pushes) -> None:
        await self._get_layer().send_all(pushes)
