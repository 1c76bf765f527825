"""psycopg's async connection pool for the message path, one for each event loop.

Connections are in autocommit mode: one statement is one transaction and one round trip.
"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

RETRIED = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)
TRIES = 3

Pool = AsyncConnectionPool[psycopg.AsyncConnection[DictRow]]

BATCH_LOCK_MILLISECONDS = 100
"""How long a batch (``core.db.batches``) waits for a row. The others wait as Django's do."""
BATCHES_AT_ONCE = 4

_pools: dict[tuple[asyncio.AbstractEventLoop, bool], Pool] = {}


def _parameters(options: str = "") -> dict[str, Any]:
    """Return how psycopg connects to Django's database, with more ``options`` of the server."""
    database = connection.settings_dict
    given = {name: value for name, value in database["OPTIONS"].items() if name != "pool"}
    return {
        **given,  # sslmode and other options of DATABASE_URL
        "dbname": database["NAME"],
        "host": database["HOST"] or None,
        "port": database["PORT"] or None,
        "user": database["USER"] or None,
        "password": database["PASSWORD"] or None,
        # UTC, as on Django's connections, so that a repeat gets exactly the same frame.
        "options": f"{given.get('options', '')} -c timezone=UTC {options}".strip(),
        "autocommit": True,
    }


async def opened(*, for_batches: bool = False) -> Pool:
    """Return the pool of this event loop, or the one for its batches."""
    key = asyncio.get_running_loop(), for_batches
    if key not in _pools:
        options = f"-c lock_timeout={BATCH_LOCK_MILLISECONDS}" if for_batches else ""
        _pools[key] = AsyncConnectionPool(
            kwargs={**_parameters(options), "row_factory": dict_row},
            # With 1, the first request would open a second connection, and an event loop that ends
            # meanwhile would wait for ever: psycopg_pool takes the cancellation for a failure.
            min_size=0,
            max_size=BATCHES_AT_ONCE if for_batches else settings.MESSAGE_POOL_SIZE,
            timeout=5,
            reconnect_timeout=settings.POOL_RECONNECT_SECONDS,
            open=False,
            # No round trip to test a connection: ``fetch_all`` repeats on a new one if it was dead.
            check=None,
        )
        await _pools[key].open()
    return _pools[key]


async def close() -> None:
    """Close the pools of this event loop, if there are any."""
    for for_batches in (False, True):
        pool = _pools.pop((asyncio.get_running_loop(), for_batches), None)
        if pool is not None:
            await pool.close()


async def fetch_all(query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all rows of one statement. It must be safe to repeat: it is retried after a deadlock,
    a serialization failure, a lock timeout or a closed connection."""
    pool = await opened()
    for left in reversed(range(TRIES)):
        conn: psycopg.AsyncConnection[DictRow] | None = None
        try:
            async with pool.connection() as conn:
                cursor = await conn.execute(query, values)
                return await cursor.fetchall()
        except RETRIED:
            if not left:
                raise
        except psycopg.OperationalError:
            # Without a connection, the pool has already waited as long as it may. One that is still
            # open reports a fault that a repeat would meet again.
            if not left or conn is None or not conn.closed:
                raise
            await pool.check()  # After a restart of PostgreSQL all idle connections are dead.
    raise AssertionError("unreachable")


async def fetch_one(query: str, values: dict[str, Any]) -> dict[str, Any] | None:
    rows = await fetch_all(query, values)
    return rows[0] if rows else None


async def answers(seconds: float) -> bool:
    """Return whether PostgreSQL answers a statement within ``seconds``, on a connection of its
    own."""
    # psycopg takes no less than 2 s; the timeout below is the one that counts.
    options = {**_parameters(), "connect_timeout": max(2, round(seconds))}
    try:
        async with asyncio.timeout(seconds):
            conn = await psycopg.AsyncConnection.connect(**options)
            try:
                await conn.execute("SELECT 1")
            finally:
                conn.pgconn.finish()  # At once: closing politely would wait as well.
    except (TimeoutError, psycopg.Error):
        return False
    return True


def pools() -> list[Pool]:
    """Return the pools of all event loops of this process."""
    return list(_pools.values())
