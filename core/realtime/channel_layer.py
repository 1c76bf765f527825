"""A channel layer over Redis pub/sub, optimized for many small pushes.

channels_redis polls for messages every 0.1 s in each process, which was a tenth of the cost of a
message at the load of a support desk. Here the receiver blocks until something arrives. Nothing
depends on the polling: subscriptions go out on the same connection while it waits, and
``core.realtime.channel_health`` detects a silent connection.

channels_redis also publishes each message through a pool, in a round trip of its own. Here one
connection publishes, and messages sent together go out in one write.
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
    """One connection that listens without a timeout, and one that publishes."""

    _voice: Any = None

    async def publish_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish each (channel, message) in order, in one write. If the connection is lost, retry
        once: clients recognize duplicates by their number."""
        async with self._lock:
            self._ensure_redis()
            if self._voice is None:
                self._voice = await self._redis.connection_pool.get_connection()
            words = [part for one in messages for part in self._voice.pack_command("PUBLISH", *one)]
            try:
                await self._write(words, len(messages))
            except CutError:
                await self._write(words, len(messages))

    async def _write(self, words: list[bytes], count: int) -> None:
        try:
            await self._voice.send_packed_command(words, check_health=False)
            for _ in range(count):
                # No timeout of its own: ``channel_groups`` bounds the whole push.
                await self._voice.read_response(timeout=math.inf)
        except BaseException:
            # Replies may still be on their way. The next caller must not read them as its own.
            await self._voice.disconnect(nowait=True)
            raise

    async def flush(self) -> None:
        self._voice = None
        await super().flush()

    async def _do_receiving(self) -> None:
        # Replaces the polling loop, a private method of channels_redis.
        while True:
            try:
                if self._pubsub is None or not self._pubsub.subscribed:
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                self._receive_message(
                    await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
                )
            except Exception:
                logger.warning("channel layer cannot subscribe", exc_info=True)
                await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)


class LoopLayer(RedisPubSubLoopLayer):
    """The channel layer of one event loop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # These replace the connections of the base class, none of which is open yet.
        self._shards: list[Connection] = [
            Connection(host, self) for host in decode_hosts(options.get("hosts"))
        ]

    async def send_all(self, pushes: Pushes) -> None:
        """Send each message to its group, in order, in one round trip (for each shard)."""
        by_connection: dict[Connection, list[tuple[str, bytes]]] = {}
        for group, message in pushes:
            channel = self._get_group_channel_name(group)
            written = self.channel_layer.serialize(message)
            by_connection.setdefault(self._get_shard(channel), []).append((channel, written))
        for shard, some in by_connection.items():
            await shard.publish_all(some)


class Layer(RedisPubSubChannelLayer):
    """The backend for ``CHANNEL_LAYERS``: one layer for each event loop of the process."""

    def _get_layer(self) -> LoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            # A private function of channels_redis, called as its own layer does: it closes the
            # layer when the loop ends.
            _wrap_close(self, loop)
        layer: LoopLayer = self._layers[loop]
        return layer

    async def send_all(self, pushes: Pushes) -> None:
        await self._get_layer().send_all(pushes)
