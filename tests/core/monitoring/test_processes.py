"""Gauges: each process reports its own, and they are read together."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from core.db import async_pool
from core.monitoring import processes, valkey


@pytest.fixture(autouse=True)
def no_process() -> Iterator[None]:
    valkey.connection().delete(processes.PROCESSES)
    yield
    valkey.connection().delete(processes.PROCESSES)


def report(name: str, *, seconds_ago: int = 0, **gauges: float) -> None:
    now, _microseconds = valkey.connection().time()
    said = {"at": now - seconds_ago, "gauges": gauges}
    valkey.connection().hset(processes.PROCESSES, name, json.dumps(said))


def test_gauges_are_added_up_and_the_slowest_loop_counts() -> None:
    report("a", requests=2, event_loop_lag=0.1)
    report("b", requests=3, event_loop_lag=0.7)
    assert processes.read() == {"requests": 5, "event_loop_lag": 0.7}


def test_processes_that_are_gone_do_not_count() -> None:
    report("a", requests=2)
    report("b", seconds_ago=16, requests=3)
    report("c", seconds_ago=3601, requests=4)
    assert processes.read() == {"requests": 2}
    assert set(valkey.connection().hkeys(processes.PROCESSES)) == {b"a", b"b"}


def test_a_process_reports_itself() -> None:
    pipe = valkey.connection().pipeline(transaction=False)
    processes.report(pipe)
    pipe.execute()
    together = processes.read()
    assert together[f"processes:{processes.kind()}"] == 1
    assert together[f"memory:{processes.kind()}"] > 1e7


@pytest.mark.parametrize(
    ("name", "command", "kind"),
    [
        ("web.2", ["x"], "web"),
        ("worker", ["x"], "worker"),
        ("", ["/venv/bin/daphne/__main__.py"], "web"),
        ("", ["celery", "-A", "config.celery", "worker"], "worker"),
        ("", ["celery", "-A", "config.celery", "beat"], "beat"),
        ("", ["manage.py", "shell"], "other"),
    ],
)
def test_the_kind_of_a_process(
    monkeypatch: pytest.MonkeyPatch, name: str, command: list[str], kind: str
) -> None:
    monkeypatch.setenv("PROCESS_NAME", name)
    monkeypatch.setattr(processes.sys, "argv", command)
    assert processes.kind() == kind


@pytest.mark.django_db
async def test_pools_report_what_is_in_use() -> None:
    try:
        await async_pool.fetch_one("SELECT 1 AS one", {})
        gauges = processes.gauges()
        assert gauges["pool_max:messages"] >= 1
        assert gauges["pool_used:messages"] == 0
        assert gauges["pool_waiting:messages"] == 0
    finally:
        await async_pool.close()


@pytest.mark.django_db(transaction=True)
def test_the_pool_of_pages_reports_what_is_in_use() -> None:
    with connection.cursor():
        gauges = processes.gauges()
    assert gauges["pool_used:pages"] >= 1
    assert gauges["pool_max:pages"] == 40


async def test_a_blocked_event_loop_is_seen() -> None:
    processes.watch_loop()
    try:
        processes.gauges()
        time.sleep(0.2)
        await asyncio.sleep(0.01)
        assert processes.gauges()["event_loop_lag"] >= 0.2
        await asyncio.sleep(0.01)
        assert processes.gauges()["event_loop_lag"] < 0.2
    finally:
        processes._loop = None
