"""Statements that wait for the database at the same time, sent together: one pipeline, one commit.

Nobody waits for a batch to fill. While one is under way, what arrives is collected, and goes next:
a quiet process sends single statements, and a busy one shares round trips and commits among many
(docs/adr/0059). A batch is one transaction, so an error in one statement undoes all of them; then
each is repeated by itself, and gets its own result or error.

Each statement locks one row at most, named by ``lock``. A batch takes its locks in that order, as
all batches do, so two of them cannot wait for each other. One that waits for a row for longer than
``async_pool.BATCH_LOCK_MILLISECONDS`` gives up, so that it does not hold up its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from core.db import async_pool

logger = logging.getLogger(__name__)

AT_ONCE = 64
STALL_SECONDS = 0.02
"""A batch that takes longer no longer keeps others waiting."""


@dataclass(slots=True, eq=False)
class Item:
    """A statement that waits to be sent, and its first row, once there is one."""

    query: str
    values: dict[str, Any]
    lock: int
    row: asyncio.Future[dict[str, Any] | None]


@dataclass(slots=True)
class Batcher:
    """The batches of one event loop."""

    waiting: list[Item] = field(default_factory=list)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    stalled: int = 0
    """How many of those under way take longer than ``STALL_SECONDS``."""
    busy: Counter[int] = field(default_factory=Counter)
    """By row: how many statements about it are under way. Those that come later wait for them, so
    that one batch never overtakes another, nor waits for its locks."""

    def add(self, item: Item) -> None:
        self.waiting.append(item)
        self.send()

    def send(self) -> None:
        """Begin a batch of what waits, unless one is under way that will end soon."""
        # All that are under way have stalled, or there are none.
        while self.stalled == len(self.under_way) < async_pool.BATCHES_AT_ONCE:
            batch = self._take()
            if not batch:
                return
            self.under_way.add(asyncio.create_task(self._run(batch)))

    def _take(self) -> list[Item]:
        batch: list[Item] = []
        left: list[Item] = []
        for item in self.waiting:
            may_go = len(batch) < AT_ONCE and not self.busy[item.lock]
            (batch if may_go else left).append(item)
        self.waiting = left
        for item in batch:
            self.busy[item.lock] += 1
            item.row.add_done_callback(partial(self._answered, item.lock))
        return batch

    def _answered(self, lock: int, _row: object) -> None:
        self.busy[lock] -= 1
        if not self.busy[lock]:
            # A Counter stores zeros, and would grow with every conversation.
            del self.busy[lock]
            if self.waiting:
                self.send()

    async def _run(self, batch: list[Item]) -> None:
        has_stalled = False

        def stall() -> None:
            nonlocal has_stalled
            has_stalled = True
            self.stalled += 1
            self.send()

        timer = asyncio.get_running_loop().call_later(STALL_SECONDS, stall)
        try:
            await _execute(batch)
        finally:
            timer.cancel()
            self.stalled -= has_stalled
            task = asyncio.current_task()
            assert task is not None
            self.under_way.discard(task)
            self.send()


_batchers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Batcher] = (
    weakref.WeakKeyDictionary()
)


async def fetch_one(query: str, values: dict[str, Any], *, lock: int) -> dict[str, Any] | None:
    """Return the first row of a statement that locks the row with the key ``lock``, or ``None``.

    It must be safe to repeat, like those of ``async_pool``.
    """
    loop = asyncio.get_running_loop()
    batcher = _batchers.setdefault(loop, Batcher())
    item = Item(query, values, lock, loop.create_future())
    batcher.add(item)
    return await item.row


async def _execute(batch: list[Item]) -> None:
    """Send a batch, and tell each of its statements the result."""
    if len(batch) == 1:
        await _alone(batch[0])
        return
    # Stable: statements about the same row keep the order in which they came.
    batch.sort(key=lambda item: item.lock)
    try:
        rows = await _together(batch)
    except psycopg.Error as error:
        logger.debug("a batch of %d is sent one by one: %s", len(batch), error)
        # All at once: one of them may be what held up the others.
        await asyncio.gather(*(_alone(item) for item in batch))
        return
    for item, row in zip(batch, rows, strict=True):
        if not item.row.done():  # Its request may have been cancelled.
            item.row.set_result(row)


async def _together(batch: list[Item]) -> list[dict[str, Any] | None]:
    async with (await async_pool.opened(for_batches=True)).connection() as conn:
        # In autocommit mode, what is sent up to the end of a pipeline is one transaction.
        async with conn.pipeline():
            cursors = [await conn.execute(item.query, item.values) for item in batch]
        return [await cursor.fetchone() for cursor in cursors]


async def _alone(item: Item) -> None:
    try:
        row = await async_pool.fetch_one(item.query, item.values)
    except BaseException as error:
        if not item.row.done():
            item.row.set_exception(error)
        # A cancellation must end this task as well.
        if not isinstance(error, Exception):
            raise
    else:
        if not item.row.done():
            item.row.set_result(row)
