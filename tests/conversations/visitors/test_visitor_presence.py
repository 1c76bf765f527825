"""Visitors are present while one of their sockets is open, and a little longer."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache

from conversations.visitors import visitor_presence

VISITORS = itertools.count(900_001)


@pytest.fixture
def visitor() -> int:
    return next(VISITORS)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor_presence, "BEAT_SECONDS", 0.05)


async def _is_kept(visitor: int) -> bool:
    """Return whether a heartbeat comes within half a second, after all presence was cleared."""
    await sync_to_async(cache.clear)()
    for _ in range(10):
        await asyncio.sleep(0.05)
        if await visitor_presence.is_online(visitor):
            return True
    return False


async def test_heartbeat_keeps_connected_visitors_online(watch: None, visitor: int) -> None:
    visitor_presence.watch().enter(visitor)
    assert await _is_kept(visitor)
    visitor_presence.watch().leave(visitor)


async def test_one_open_socket_keeps_the_visitor_online(watch: None, visitor: int) -> None:
    visitor_presence.watch().enter(visitor)
    visitor_presence.watch().enter(visitor)
    visitor_presence.watch().leave(visitor)
    assert await _is_kept(visitor)
    visitor_presence.watch().leave(visitor)
    await asyncio.sleep(0.1)
    assert not await _is_kept(visitor)


async def test_watch_restarts_after_it_ended(watch: None, visitor: int) -> None:
    for _ in range(2):
        visitor_presence.watch().enter(visitor)
        assert await _is_kept(visitor)
        visitor_presence.watch().leave(visitor)
        await asyncio.sleep(0.2)


async def test_visitor_stays_online_for_a_while_after_leaving(visitor: int) -> None:
    assert not await visitor_presence.is_online(visitor)
    await visitor_presence.linger(visitor)
    assert await sync_to_async(visitor_presence.online)([visitor]) == {visitor}


def test_no_visitor_is_online_if_the_cache_is_unavailable(
    settings: Any, visitor: int, tmp_path: Path
) -> None:
    elsewhere = {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}
    settings.CACHES = {"default": elsewhere}
    assert visitor_presence.online([visitor]) == set()
