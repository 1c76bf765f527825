"""Visitors on site: a key in the cache while a socket is heard, gone by itself when none is.

A closing socket leaves the key a few seconds, so that the next page of the site, or another tab's
heartbeat, takes over without a flicker. Nothing is lost with the cache: living sockets repeat it.
"""

from __future__ import annotations

from collections.abc import Collection

from django.core.cache import cache

HEARD_SECONDS = 45
LINGER_SECONDS = 12  # More than one heartbeat of a socket.


def _key(visitor_id: int) -> str:
    return f"sighting:{visitor_id}"


async def see(visitor_id: int) -> None:
    """A socket of the visitor was heard just now."""
    await cache.aset(_key(visitor_id), 1, HEARD_SECONDS)


async def linger(visitor_id: int) -> None:
    """A socket of the visitor closed; perhaps the last one."""
    await cache.aset(_key(visitor_id), 1, LINGER_SECONDS)


async def is_online(visitor_id: int) -> bool:
    return await cache.aget(_key(visitor_id)) is not None


def online(visitor_ids: Collection[int]) -> set[int]:
    """Which of these visitors are on the site now (R103, R104)."""
    keys = {_key(visitor_id): visitor_id for visitor_id in visitor_ids}
    return {keys[key] for key in cache.get_many(keys)} if keys else set()
