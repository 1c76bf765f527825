"""The connections of the message path survive a restart of PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from core.db import async_pool

OTHERS = """
    SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND application_name = 'message path'
"""
NAMED = "SET application_name = 'message path'"
ASLEEP = "SELECT pg_sleep(0.3)::text AS slept"


@pytest_asyncio.fixture
async def opened(db: None) -> AsyncIterator[None]:
    yield
    await async_pool.close()


async def _open_some(count: int) -> None:
    opened = await async_pool.opened()
    await asyncio.gather(*(async_pool.fetch_all(ASLEEP, {}) for _ in range(count)))
    held = [await opened.getconn() for _ in range(count)]
    for connection in held:
        await connection.execute(NAMED)
        await opened.putconn(connection)


async def test_closed_connections_are_replaced(opened: None) -> None:
    await _open_some(4)
    cut = await async_pool.fetch_one(OTHERS, {})
    assert cut == {"n": 3}  # all but the one that ran the statement
    answers = await asyncio.gather(*(async_pool.fetch_one("SELECT 1 AS one", {}) for _ in range(6)))
    assert answers == [{"one": 1}] * 6


async def test_a_wrong_statement_is_not_repeated(opened: None) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        await async_pool.fetch_one("SELECT nothing", {})


def test_a_closing_event_loop_does_not_wait_for_a_connection(db: None) -> None:
    """A command's push once hung here forever: a second connection was being opened for nobody."""

    def push() -> None:
        for _ in range(8):
            asyncio.run(_forgetting("SELECT 1 AS one"))

    pushing = threading.Thread(target=push, daemon=True)
    pushing.start()
    pushing.join(60)
    assert not pushing.is_alive()


async def _forgetting(query: str) -> None:
    """Run a query, and leave the pool behind as it is."""
    await async_pool.fetch_one(query, {})
    async_pool._pools.pop((asyncio.get_running_loop(), False))
