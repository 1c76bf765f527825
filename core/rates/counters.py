"""The counting of requests in Valkey: one round trip for all limits of a door.

Where Valkey is away, slow or full, everybody is admitted: these limits protect the product from
floods, and must never be what stops it. After a fault a process does not ask again for a few
seconds, so that no request waits for a server that hangs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from typing import Any
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from django.utils.crypto import salted_hmac
from limits.storage import RedisStorage
from redis.exceptions import NoScriptError, RedisError

from core.rates import windows
from core.rates.windows import By, Count, Standing, Window
from core.rejection import TooMany

logger = logging.getLogger(__name__)

PREFIX = "causerie"
REFUSED = f"{PREFIX}:refused"
WAIT_SECONDS = 0.3
PAUSE_SECONDS = 5.0

# The library's scripts: each is atomic, and they travel together in one pipeline.
READ = RedisStorage.SCRIPT_SLIDING_WINDOW
ACQUIRE = RedisStorage.SCRIPT_ACQUIRE_SLIDING_WINDOW
READ_SHA, ACQUIRE_SHA = (hashlib.sha1(script).hexdigest() for script in (READ, ACQUIRE))
SCRIPTS = (READ, ACQUIRE)

_away_until = 0.0
_client: redis.Redis | None = None
_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = (
    WeakKeyDictionary()
)


def hit(
    door: str, *, visitor: str = "", address: str = "", website: str = "", account: str = ""
) -> Standing | None:
    """Count a request at ``door``; raise ``TooMany`` if one of its limits is reached. Return how
    much is left; ``None`` if nothing was counted."""
    limited_by = _windows(door, visitor, address, website, account)
    if not limited_by:
        return None
    try:
        counts = _counts(_run(_connection(), limited_by))
    except (RedisError, OSError) as error:
        _admit_all(error)
        return None
    refusal = windows.decide(limited_by, counts)
    if refusal is not None:
        record_refusal(door, refusal.by)
        raise TooMany(refusal.seconds)
    return windows.standing_of(limited_by, counts)


async def hit_async(door: str, *, visitor: str = "", address: str = "", website: str = "") -> None:
    """Do the same in an event loop, without blocking it."""
    limited_by = _windows(door, visitor, address, website)
    if not limited_by:
        return
    try:
        connection = _async_connection()
        replies = await _pipe(connection, limited_by).execute(raise_on_error=False)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            for script in SCRIPTS:
                await connection.script_load(script)
            replies = await _pipe(connection, limited_by).execute(raise_on_error=False)
        refusal = windows.decide(limited_by, _counts(replies))
        if refusal is not None:
            await connection.hincrby(REFUSED, f"{door}:{refusal.by}", 1)
    except (RedisError, OSError) as error:
        _admit_all(error)
        return
    if refusal is not None:
        raise TooMany(refusal.seconds)


def record_refusal(door: str, by: By) -> None:
    """Count a refused request, for ``/metrics``."""
    try:
        _connection().hincrby(REFUSED, f"{door}:{by}", 1)
    except (RedisError, OSError):
        logger.warning("could not count a refused request", exc_info=True)


def refused() -> dict[tuple[str, str], int]:
    """Return how many requests were refused, by door and limit; nothing if Valkey is away."""
    try:
        refusals: Any = _connection().hgetall(REFUSED)
    except (RedisError, OSError):
        return {}
    counts = {}
    for name, count in refusals.items():
        door, _colon, by = name.decode().partition(":")
        counts[door, by] = int(count)
    return counts


def forget_connections() -> None:
    """Connect anew, and ask again at once: for tests."""
    global _client, _away_until
    _client, _away_until = None, 0.0


async def close() -> None:
    """Close the connections of the running event loop."""
    client = _async_clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


def _windows(
    door: str, visitor: str, address: str, website: str, account: str = ""
) -> list[Window]:
    its_limits = settings.RATE_LIMITS.get(door)
    if not its_limits or time.monotonic() < _away_until:
        return []
    subject = windows.subject_of(address)
    # No address is stored readably, not even for minutes.
    digest = subject and salted_hmac("causerie.rate", subject, algorithm="sha256").hexdigest()[:32]
    subjects = {By.VISITOR: visitor, By.ADDRESS: digest, By.WEBSITE: website, By.ACCOUNT: account}
    return windows.of(door, its_limits, subjects)


def _run(connection: redis.Redis, limited_by: list[Window]) -> list[Any]:
    replies = _pipe(connection, limited_by).execute(raise_on_error=False)
    if any(isinstance(reply, NoScriptError) for reply in replies):
        # The server has restarted. Nothing has been counted.
        for script in SCRIPTS:
            connection.script_load(script)
        replies = _pipe(connection, limited_by).execute(raise_on_error=False)
    return replies


def _pipe(connection: Any, limited_by: list[Window]) -> Any:
    pipe = connection.pipeline(transaction=False)
    for window in limited_by:
        # The braces put both keys on the same node of a cluster.
        current = f"{PREFIX}:{{{window.key}}}"
        keys = (f"{current}/-1", current)
        pipe.evalsha(READ_SHA, 2, *keys, window.seconds)
        pipe.evalsha(ACQUIRE_SHA, 2, *keys, window.amount, window.seconds, 1)
    return pipe


def _counts(replies: list[Any]) -> list[Count]:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    pairs = zip(replies[::2], replies[1::2], strict=True)
    return [_count(read, is_admitted=bool(acquired)) for read, acquired in pairs]


def _count(read: list[Any], *, is_admitted: bool) -> Count:
    previous, previous_ttl, current, current_ttl = (int(part or 0) for part in read)
    # In milliseconds; negative if there is no such window.
    return Count(
        previous, max(0, previous_ttl) / 1000, current, max(0, current_ttl) / 1000, is_admitted
    )


def _admit_all(error: Exception) -> None:
    global _away_until
    _away_until = time.monotonic() + PAUSE_SECONDS
    logger.warning("cannot count requests, admitting all for a moment: %s", error)


def _connection() -> redis.Redis:
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.RATE_LIMIT_URL, **_timeouts())
    return _client


def _async_connection() -> redis.asyncio.Redis:
    loop = asyncio.get_running_loop()
    if loop not in _async_clients:
        _async_clients[loop] = redis.asyncio.Redis.from_url(settings.RATE_LIMIT_URL, **_timeouts())
    return _async_clients[loop]


def _timeouts() -> dict[str, Any]:
    return {"socket_timeout": WAIT_SECONDS, "socket_connect_timeout": WAIT_SECONDS}
