"""What each process says of its own saturation: sockets, requests, pools, event loop, memory.

A process replaces its gauges every two seconds; those of a process that is gone are ignored after
some seconds. Reports are sums or maxima over all processes, so that the number of series does not
grow with the processes that came and went.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
from django.db import connections

from core.db import async_pool
from core.monitoring import valkey

PROCESSES = f"{valkey.PREFIX}:processes"
STALE_SECONDS = 15.0
FORGOTTEN_SECONDS = 3600.0
MAXIMA = frozenset({"event_loop_lag"})
"""Gauges of which the largest counts; the others are added up."""

sockets: Counter[str] = Counter()
"""The open sockets of this process, by their consumer."""
running_requests = 0

_loop: asyncio.AbstractEventLoop | None = None
_lag = 0.0


def watch_loop() -> None:
    """Remember the running event loop, whose lag is measured from then on."""
    global _loop
    _loop = asyncio.get_running_loop()


def gauges() -> dict[str, float]:
    """Return the gauges of this process, by name and label (``name:label``)."""
    found: dict[str, float] = {
        "processes:" + kind(): 1,
        "memory:" + kind(): psutil.Process().memory_info().rss,
        "requests": running_requests,
        "event_loop_lag": _lag,
    }
    found |= {f"sockets:{name}": number for name, number in sockets.items()}
    for pool, figures in _pools():
        size, free = figures.get("pool_size", 0), figures.get("pool_available", 0)
        found[f"pool_used:{pool}"] = found.get(f"pool_used:{pool}", 0) + size - free
        found[f"pool_max:{pool}"] = found.get(f"pool_max:{pool}", 0) + figures.get("pool_max", 0)
        waiting = figures.get("requests_waiting", 0)
        found[f"pool_waiting:{pool}"] = found.get(f"pool_waiting:{pool}", 0) + waiting
    _measure_lag()
    return found


def kind() -> str:
    """Return what this process is, as the supervisor calls it or by its command."""
    if name := os.environ.get("PROCESS_NAME"):
        return name.partition(".")[0]
    if "daphne" in sys.argv[0]:
        return "web"
    return next((each for each in ("worker", "beat") if each in sys.argv), "other")


def report(pipe: Any) -> None:
    """Add this process's gauges to a pipeline. The moment is Valkey's, so that no clock matters."""
    seconds, _microseconds = valkey.connection().time()
    pipe.hset(
        PROCESSES,
        f"{socket.gethostname()}:{os.getpid()}",
        json.dumps({"at": seconds, "gauges": gauges()}),
    )


def read() -> dict[str, float]:
    """Return the gauges of all processes together. Raise what redis-py raises if Valkey does not
    answer."""
    connection = valkey.connection()
    now, _microseconds = connection.time()
    stored: Any = connection.hgetall(PROCESSES)
    together: dict[str, float] = {}
    for name, text in stored.items():
        said = json.loads(text)
        age = now - said["at"]
        if age > FORGOTTEN_SECONDS:
            connection.hdel(PROCESSES, name)
        if age > STALE_SECONDS:
            continue
        for gauge, value in said["gauges"].items():
            before = together.get(gauge, 0.0)
            together[gauge] = max(before, value) if gauge in MAXIMA else before + value
    return together


def _pools() -> Iterator[tuple[str, dict[str, int]]]:
    # A private attribute of Django's backend. Without it, these gauges are missing and nothing
    # else.
    pages = getattr(type(connections["default"]), "_connection_pools", {}).get("default")
    if pages is not None:
        yield "pages", pages.get_stats()
    for messages in list(async_pool.pools()):
        yield "messages", messages.get_stats()


def _measure_lag() -> None:
    """Ask the event loop to note how long it took to get round to this."""
    asked_at = time.perf_counter()

    def answer() -> None:
        global _lag
        _lag = time.perf_counter() - asked_at

    if _loop is not None and not _loop.is_closed():
        _loop.call_soon_threadsafe(answer)
