"""Statements that wait together go together, and one that fails or waits harms no other."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from django.db import connection

from core.db import async_pool, batches

ROWS = 20
TABLE = "CREATE TABLE batched (id int PRIMARY KEY, n int NOT NULL CHECK (n >= 0), log int[])"
# What the message path does: lock a row, take the next number.
NEXT = """
    UPDATE batched SET n = n + %(by)s, log = log || %(note)s::int WHERE id = %(id)s
    RETURNING n, pg_current_xact_id()::text AS xact
"""
SLOW = "SELECT pg_sleep(0.01)::text AS slept"
PATIENCE_SECONDS = 20


@pytest.fixture
def table(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        cursor.execute(f"INSERT INTO batched SELECT i, 0, '{{}}' FROM generate_series(1, {ROWS}) i")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE batched")


@pytest_asyncio.fixture
async def pools() -> AsyncIterator[None]:
    yield
    await async_pool.close()


@pytest.fixture
def fallbacks(caplog: pytest.LogCaptureFixture) -> Callable[[], int]:
    """Return how many batches had to be sent one by one."""
    caplog.set_level(logging.DEBUG, logger=batches.__name__)
    return lambda: sum("one by one" in record.message for record in caplog.records)


def add(row: int, by: int = 1, note: int = 0) -> Awaitable[dict[str, Any] | None]:
    return batches.fetch_one(NEXT, {"id": row, "by": by, "note": note}, lock=row)


def stored(row: int) -> tuple[int, list[int]]:
    n, log = execute("SELECT n, log FROM batched WHERE id = %s", row)
    return n, log


def execute(query: str, *values: Any) -> Any:
    """Return the first row, by a connection of its own: Django's are not for the event loop."""
    with psycopg.connect(**async_pool._parameters()) as other:
        return other.execute(query, values).fetchone()


@contextmanager
def locked(row: int) -> Iterator[None]:
    """Hold the lock of a row, as a long transaction of somebody else does."""
    parameters = {**async_pool._parameters(), "autocommit": False}
    with psycopg.connect(**parameters) as other:
        other.execute("SELECT FROM batched WHERE id = %s FOR UPDATE", [row])
        yield
        other.rollback()


@pytest.mark.usefixtures("table", "pools")
async def test_what_waits_while_a_statement_is_under_way_is_one_transaction() -> None:
    answers = await asyncio.gather(*(add(row) for row in range(1, 11)))
    transactions = [answer["xact"] for answer in answers if answer]
    # The first went alone, at once; the nine others came while it was under way.
    assert transactions.count(transactions[0]) == 1
    assert len(set(transactions)) == 2
    assert [stored(row)[0] for row in range(1, 12)] == [1] * 10 + [0]


@pytest.mark.usefixtures("table", "pools")
async def test_a_quiet_process_sends_each_statement_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(_batch: list[Any]) -> Any:
        raise AssertionError("a single statement needs no pipeline")

    monkeypatch.setattr(batches, "_together", never)
    for n in range(3):
        answer = await add(1)
        assert answer is not None
        assert answer["n"] == n + 1


@pytest.mark.usefixtures("table", "pools")
async def test_no_row_is_an_answer_too() -> None:
    answers = await asyncio.gather(*(add(row) for row in (1, 999, 2, 998)))
    assert [answer and answer["n"] for answer in answers] == [1, None, 1, None]


@pytest.mark.usefixtures("table", "pools")
async def test_one_wrong_statement_spoils_none_of_the_others(
    fallbacks: Callable[[], int],
) -> None:
    """A negative number violates a constraint, in the middle of the batch."""
    work = [add(1), add(2), add(3, by=-1), add(4), add(2)]
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert isinstance(answers.pop(2), psycopg.errors.CheckViolation)
    assert [answer["n"] for answer in answers] == [1, 1, 1, 2]  # type: ignore[index]
    assert [stored(row)[0] for row in range(1, 6)] == [1, 2, 0, 1, 0]
    assert fallbacks() == 1


@pytest.mark.usefixtures("table", "pools")
async def test_a_locked_row_holds_up_nobody_else(fallbacks: Callable[[], int]) -> None:
    with locked(3):
        leads = asyncio.ensure_future(add(9))
        stuck, *first = [asyncio.ensure_future(add(row)) for row in (3, 1, 2, 4)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait([leads, *first])
            behind = asyncio.ensure_future(add(3))
            later = await asyncio.gather(*(add(row) for row in (1, 5, 6)))
        assert not stuck.done()
        assert not behind.done()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(stuck, behind, *first)
    assert [answer and answer["n"] for answer in later] == [2, 1, 1]
    assert [stored(row)[0] for row in range(1, 7)] == [2, 1, 2, 1, 1, 1]
    assert fallbacks() == 1


@pytest.mark.usefixtures("table", "pools")
async def test_a_batch_that_takes_long_does_not_keep_others_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(async_pool, "BATCH_LOCK_MILLISECONDS", 10_000)
    with locked(3):
        first = [asyncio.ensure_future(add(row)) for row in (9, 3, 1)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await first[0]
            later = await asyncio.gather(*(add(row) for row in (5, 6)))
        assert [answer and answer["n"] for answer in later] == [1, 1]
        assert not first[2].done()
    await asyncio.gather(*first)


@pytest.mark.usefixtures("table", "pools")
@pytest.mark.parametrize("stall_seconds", [0, batches.STALL_SECONDS])
async def test_statements_about_one_row_keep_their_order(
    stall_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "STALL_SECONDS", stall_seconds)
    notes: dict[int, list[int]] = defaultdict(list)
    work = []
    for note in range(1, 201):
        row = note * 7 % 5 + 1
        notes[row].append(note)
        work.append(add(row, note=note))
    await asyncio.gather(*work)
    assert {row: stored(row)[1] for row in notes} == notes


@pytest.mark.usefixtures("table")
def test_two_processes_never_wait_for_each_other(fallbacks: Callable[[], int]) -> None:
    """Each goes through the rows in its own order; without one order of locks, the batches of one
    would hold what those of the other wait for."""
    barrier = threading.Barrier(2)

    def process(order: range) -> None:
        async def main() -> None:
            try:
                for _ in range(15):
                    await asyncio.gather(*(add(row) for row in order))
            finally:
                await async_pool.close()

        barrier.wait()
        asyncio.run(main())

    rows = range(1, ROWS + 1)
    threads = [threading.Thread(target=process, args=(order,)) for order in (rows, rows[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS * 3)
    assert [stored(row)[0] for row in rows] == [30] * ROWS
    assert fallbacks() == 0


@pytest.mark.usefixtures("table", "pools")
async def test_a_request_that_is_given_up_takes_no_neighbour_along() -> None:
    work = [asyncio.ensure_future(add(row)) for row in range(1, 6)]
    await asyncio.sleep(0)
    work[2].cancel()
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert isinstance(answers.pop(2), asyncio.CancelledError)
    assert [answer["n"] for answer in answers] == [1] * 4  # type: ignore[index]


@pytest.mark.usefixtures("table", "pools")
async def test_a_cut_connection_costs_one_repeat(fallbacks: Callable[[], int]) -> None:
    """The batch after a restart of PostgreSQL finds its connection dead."""
    await asyncio.gather(*(add(row) for row in (1, 2, 3)))
    (cut,) = execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE query LIKE '%%UPDATE batched%%' AND pid <> pg_backend_pid()"
    )
    assert cut >= 2
    answers = await asyncio.gather(*(add(row) for row in (1, 2, 3)))
    assert [answer and answer["n"] for answer in answers] == [2, 2, 2]
    assert [stored(row)[0] for row in (1, 2, 3)] == [2, 2, 2]
    assert fallbacks() == 1


@pytest.mark.usefixtures("table", "pools")
async def test_a_flood_goes_in_batches_of_limited_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    together = batches._together

    async def noted(batch: list[Any]) -> Any:
        sizes.append(len(batch))
        return await together(batch)

    monkeypatch.setattr(batches, "_together", noted)
    await asyncio.gather(*(add(n % ROWS + 1) for n in range(300)))
    assert max(sizes) == batches.AT_ONCE
    assert sum(sizes) > 280  # the rest went alone
    assert [stored(row)[0] for row in range(1, ROWS + 1)] == [15] * ROWS
