"""Visitors on site: a key in the cache, which expires unless a socket's heartbeat renews it.

A closing socket leaves the key for a few seconds, so that the next page of the site, or the
heartbeat of another tab, takes over without a gap. If the cache is lost, open sockets restore it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10
HEARD_SECONDS = 45
LINGER_SECONDS = 12  # More than one beat.


class Watch:
    """The visitors with sockets in one event loop. Their keys are renewed together, so that ten
    thousand of them cost one round trip for each beat, not a thousand a second."""

    def __init__(self) -> None:
        self._sockets: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None

    def enter(self, visitor_id: int) -> None:
        self._sockets[visitor_id] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def leave(self, visitor_id: int) -> None:
        self._sockets[visitor_id] -= 1
        if self._sockets[visitor_id] <= 0:
            # A Counter stores zeros, and ``_run`` would go on for nobody.
            del self._sockets[visitor_id]

    async def _run(self) -> None:
        while self._sockets:
            await asyncio.sleep(BEAT_SECONDS)
            seen = {_key(visitor_id): 1 for visitor_id in self._sockets}
            try:
                await sync_to_async(cache.set_many)(seen, HEARD_SECONDS)
            except Exception:
                logger.warning(
                    "could not renew the presence of visitors, retrying at the next heartbeat",
                    exc_info=True,
                )


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def _key(visitor_id: int) -> str:
    return f"sighting:{visitor_id}"


def watch() -> Watch:
    """Return the watch of the running event loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())


async def see(visitor_id: int) -> None:
    """Record that a socket of the visitor has opened."""
    await _keep(visitor_id, HEARD_SECONDS)


async def linger(visitor_id: int) -> None:
    """Record that a socket of the visitor has closed, perhaps the last one."""
    await _keep(visitor_id, LINGER_SECONDS)


async def _keep(visitor_id: int, seconds: int) -> None:
    try:
        await cache.aset(_key(visitor_id), 1, seconds)
    except RedisError:
        logger.warning("could not record that a visitor arrived or left", exc_info=True)


async def is_online(visitor_id: int) -> bool:
    """Return whether a visitor is on the site now."""
    return await cache.aget(_key(visitor_id)) is not None


def online(visitor_ids: Collection[int]) -> set[int]:
    """Return which of these visitors are on the site now (R103, R104); none if the cache is
    down."""
    keys = {_key(visitor_id): visitor_id for visitor_id in visitor_ids}
    try:
        present = cache.get_many(keys) if keys else {}
    except RedisError:
        logger.warning("cannot read which visitors are on the site", exc_info=True)
        present = {}
    return {keys[key] for key in present}
