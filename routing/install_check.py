"""Check that a website's pages carry the Messenger: where and when its script was last seen.

This is in the cache, since it may vanish. The page that asks for an engagement reports it, each
process at most once a minute for a page's host, so that a busy site costs nothing.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

CACHE_SECONDS = 30 * 86400
QUIET_SECONDS = 60.0
HOSTS_REMEMBERED = 1000
_recorded: dict[tuple[int, str], float] = {}


@dataclass(frozen=True, slots=True)
class LastSeen:
    host: str
    at: datetime


async def record(website_id: int, host: str, *, at: datetime) -> None:
    """Note that a page of ``host``, one of the website's domains, asked for the Messenger."""
    now = time.monotonic()
    if now - _recorded.get((website_id, host), -QUIET_SECONDS) < QUIET_SECONDS:
        return
    if len(_recorded) >= HOSTS_REMEMBERED:
        # Rather forget all than sort by age: the worst is that some hosts are noted again.
        _recorded.clear()
    _recorded[website_id, host] = now
    try:
        await cache.aset(_key(website_id), (host, at), CACHE_SECONDS)
    except RedisError:
        logger.warning("could not record that a page embeds the Messenger", exc_info=True)


def last_seen(website_id: int) -> LastSeen | None:
    """Return the last page that was seen; ``None`` if there is none or the cache is away."""
    try:
        cached = cache.get(_key(website_id))
    except RedisError:
        logger.warning("cannot read which pages embed the Messenger", exc_info=True)
        return None
    return LastSeen(*cached) if cached else None


def _key(website_id: int) -> str:
    return f"embedded:{website_id}"
