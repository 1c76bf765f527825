"""Copies of the snapshots from which page views are answered, at most two seconds old
(docs/adr/0013-page-views-from-a-snapshot.md).

Each process has its copies of those in Valkey, where one process at a time renews a website's, once
a second while there is demand. A warm answer needs no query.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connections
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.events.facts import Fact
from routing import snapshots

logger = logging.getLogger(__name__)

LIMIT = 2.0  # seconds; no answer uses an older copy
RENEWED = 1.0  # seconds; the age at which a copy in demand is renewed
LOOK = 0.05  # seconds during which a process does not read Valkey again
TURN = 5.0  # seconds that others wait at most for a process that dies while renewing
PATIENCE = 2.0  # seconds that an answer may wait for the database
PAUSE = 0.02
VALKEY_SECONDS = 0.5
MAX_COPIES = 1000  # websites of which one process has a copy

# The copy, the version it must have, and whether it is the caller's turn to renew it: once in a
# while, and at once if the version has changed.
LOOK_UP = """
    local version = redis.call('GET', KEYS[2]) or '0'
    local is_my_turn = redis.call('GET', KEYS[3]) ~= version
    if is_my_turn then redis.call('SET', KEYS[3], version, 'PX', ARGV[1]) end
    return {redis.call('GET', KEYS[1]), tonumber(version), is_my_turn and 1 or 0}
"""
# A process that was overtaken by a change does not share its copy.
PUT_DOWN = """
    if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    redis.call('PEXPIRE', KEYS[3], ARGV[4])
    return 1
"""
VERSION = "{engagement}:version"


class Unavailable(Exception):
    """Raised when neither a copy nor the database is available."""


@dataclass(slots=True)
class _Copy:
    """A process's copy of one website, valid until ``good_until`` (monotonic)."""

    text: bytes
    snapshot: snapshots.Snapshot | None
    good_until: float


class Shelf:
    """The copies of one process (one event loop)."""

    def __init__(self) -> None:
        self._valkey: Redis = Redis.from_url(
            str(settings.CACHES["default"]["LOCATION"]),
            socket_timeout=VALKEY_SECONDS,
            socket_connect_timeout=VALKEY_SECONDS,
        )
        self._look_up = self._valkey.register_script(LOOK_UP)
        self._put_down = self._valkey.register_script(PUT_DOWN)
        self._copies: dict[str, _Copy] = {}
        self._looks: dict[str, asyncio.Task[snapshots.Snapshot | None]] = {}
        self._renewals: set[asyncio.Task[Any]] = set()
        self._valkey_is_away_until = 0.0
        self._database_is_away_until = 0.0

    async def get(self, key: str, *, at: datetime) -> snapshots.Snapshot | None:
        """Return the website as of now or a moment ago; ``None`` if the key is unknown.

        Raise ``Unavailable``. However many callers ask at once, one lookup serves them all.
        """
        copy = self._copies.get(key)
        if copy is not None and monotonic() < copy.good_until:
            return copy.snapshot
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = asyncio.create_task(self._look(key, at))
            look.add_done_callback(lambda _done: self._looks.pop(key, None))
        # A caller that gives up must not cancel the lookup that others wait for.
        return await asyncio.shield(look)

    async def close(self) -> None:
        """Drop all copies and disconnect from Valkey."""
        under_way = [*self._looks.values(), *self._renewals]
        await asyncio.gather(*under_way, return_exceptions=True)
        self._copies.clear()
        await self._valkey.aclose()

    async def _look(self, key: str, at: datetime) -> snapshots.Snapshot | None:
        if monotonic() < self._valkey_is_away_until:
            return await self._alone(key, at)
        try:
            return await self._shared(key, at)
        except (RedisError, OSError, TimeoutError):
            logger.warning("answering page views without Valkey", exc_info=True)
            self._valkey_is_away_until = monotonic() + RENEWED
            return await self._alone(key, at)

    async def _shared(self, key: str, at: datetime) -> snapshots.Snapshot | None:
        give_up = monotonic() + PATIENCE
        while True:
            text, version, is_my_turn = await self._read(key)
            is_good = text is not None and text.startswith(b"%d " % version)
            if text is not None and is_good:
                if is_my_turn:
                    renewal = asyncio.create_task(self._renew_quietly(key, version, at))
                    self._renewals.add(renewal)  # The loop keeps only weak references to tasks.
                    renewal.add_done_callback(self._renewals.discard)
                return self._keep(key, text, LOOK)
            if is_my_turn or monotonic() > give_up:
                return await self._renew(key, version, at)
            await asyncio.sleep(PAUSE)  # Another process is renewing it.

    async def _read(self, key: str) -> tuple[bytes | None, int, bool]:
        """Return the shared copy, the version it must have, and whether to renew it is our turn."""
        text, version, is_my_turn = await self._look_up(keys=_keys(key), args=[_ms(TURN)])
        return text, int(version), bool(is_my_turn)

    async def _renew_quietly(self, key: str, version: int, at: datetime) -> None:
        """Renew in the background; others get the old copy, which expires if this fails."""
        try:
            await self._renew(key, version, at)
        except (Unavailable, RedisError, OSError):
            logger.warning("could not refresh the snapshot of a website", exc_info=True)

    async def _renew(self, key: str, version: int, at: datetime) -> snapshots.Snapshot | None:
        began = monotonic()
        snapshot = await self._ask_database(key, at)
        text = _text(version, snapshot)
        # The data are as old as the query, and each process may use its copy for ``LOOK`` longer.
        left = LIMIT - LOOK - (monotonic() - began)
        await self._put_down(keys=_keys(key), args=[version, text, _ms(left), _ms(RENEWED)])
        return self._keep(key, text, LOOK)

    async def _alone(self, key: str, at: datetime) -> snapshots.Snapshot | None:
        """Without Valkey each process queries the database itself, once a second."""
        return self._keep(key, _text(0, await self._ask_database(key, at)), RENEWED)

    async def _ask_database(self, key: str, at: datetime) -> snapshots.Snapshot | None:
        # One request waits for the database in vain; the others are told at once.
        if monotonic() < self._database_is_away_until:
            raise Unavailable
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.to_thread(_take_in_thread, key, at)
        except Exception as error:
            self._database_is_away_until = monotonic() + RENEWED
            raise Unavailable from error

    def _keep(self, key: str, text: bytes, seconds: float) -> snapshots.Snapshot | None:
        """Store a copy; do not decode it again if it has not changed."""
        copy = self._copies.pop(key, None)
        if copy is None or copy.text != text:
            written = text.partition(b" ")[2]
            copy = _Copy(text, snapshots.Snapshot.decode(written) if written else None, 0.0)
        copy.good_until = monotonic() + seconds
        self._copies[key] = copy  # At the end: the first entry is the least recently used.
        if len(self._copies) > MAX_COPIES:
            del self._copies[next(iter(self._copies))]
        return copy.snapshot


def _take_in_thread(key: str, at: datetime) -> snapshots.Snapshot | None:
    try:
        return snapshots.take(key, at=at)
    finally:
        connections.close_all()  # back to the pool; this thread may not be used again soon


def _text(version: int, snapshot: snapshots.Snapshot | None) -> bytes:
    return f"{version} {snapshot.encode() if snapshot else ''}".encode()


def _keys(key: str) -> list[str]:
    """Return keys in one slot of a cluster, as a script requires."""
    return [f"{{engagement}}:website:{key}", VERSION, f"{{engagement}}:turn:{key}"]


def _ms(seconds: float) -> int:
    return max(int(seconds * 1000), 1)


_shelves: WeakKeyDictionary[asyncio.AbstractEventLoop, Shelf] = WeakKeyDictionary()


def shelf() -> Shelf:
    """Return the shelf of the running event loop."""
    return _shelves.setdefault(asyncio.get_running_loop(), Shelf())


async def close() -> None:
    """Close the shelf of this event loop, if there is one."""
    opened = _shelves.pop(asyncio.get_running_loop(), None)
    if opened is not None:
        await opened.close()


async def outdate(_fact: Fact) -> None:
    """Reaction: a setting changed, so every copy made before is invalid, in any process (R216).

    With Valkey away this may be lost; then the copies end by their age.
    """
    async with Redis.from_url(
        str(settings.CACHES["default"]["LOCATION"]),
        socket_timeout=VALKEY_SECONDS,
        socket_connect_timeout=VALKEY_SECONDS,
    ) as valkey:
        # A connection of its own: this may run in a worker, which has no shelf.
        await valkey.incr(VERSION)
