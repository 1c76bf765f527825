"""Measurements: summed up over processes, bounded in number, patient without Valkey."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from core.monitoring import measurements, processes, valkey
from core.monitoring.measurements import BUCKETS, FACTS, REQUEST_SECONDS, REQUESTS


@pytest.fixture(autouse=True)
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "_start", lambda: None)  # each test sends by itself
    measurements._added.clear()
    measurements._known.clear()
    valkey.connection().delete(measurements.COUNTS, processes.PROCESSES)


def numbers(metric: measurements.Metric) -> dict[tuple[str, ...], dict[str, int]]:
    found = measurements.series(measurements.read(), metric)
    return {tuple(labels): values for labels, values in found}


def test_processes_add_up() -> None:
    for _process in range(2):
        measurements.count(REQUESTS, "login", "GET", "2xx")
        measurements.count(REQUESTS, "login", "POST", "4xx")
        measurements.send()
    measurements.send()  # nothing is sent twice
    assert numbers(REQUESTS) == {
        ("login", "GET", "2xx"): {"": 2},
        ("login", "POST", "4xx"): {"": 2},
    }


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_every_duration_is_in_its_bucket(durations: list[float]) -> None:
    measurements._added.clear()
    valkey.connection().delete(measurements.COUNTS)
    for seconds in durations:
        measurements.observe(REQUEST_SECONDS, seconds, "login")
    measurements.send()
    found = numbers(REQUEST_SECONDS)[("login",)]
    total = found.pop("sum")
    assert total == pytest.approx(sum(durations) * 1e6, abs=len(durations))
    for number, bound in enumerate(BUCKETS):
        below = sum(count for bucket, count in found.items() if int(bucket) <= number)
        assert below == sum(seconds <= bound for seconds in durations)
    assert sum(found.values()) == len(durations)


def test_the_number_of_series_is_bounded() -> None:
    for number in range(measurements.SERIES + 50):
        measurements.count(FACTS, f"Fact{number}")
    measurements.count(FACTS, "Fact7")
    measurements.send()
    found = numbers(FACTS)
    assert len(found) == measurements.SERIES + 1
    assert found[(measurements.OTHER,)] == {"": 50}
    assert found[("Fact7",)] == {"": 2}


def test_numbers_wait_for_valkey(settings: Settings) -> None:
    measurements.count(FACTS, "MessageAdded")
    there, settings.RATE_LIMIT_URL = settings.RATE_LIMIT_URL, "redis://127.0.0.1:1"
    measurements.send()
    measurements.count(FACTS, "MessageAdded")
    settings.RATE_LIMIT_URL = there
    assert numbers(FACTS) == {}
    measurements.send()
    assert numbers(FACTS) == {("MessageAdded",): {"": 2}}


def test_threads_lose_nothing() -> None:
    barrier = threading.Barrier(8)

    def add() -> None:
        barrier.wait()
        for _ in range(500):
            measurements.count(FACTS, "MessageAdded")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        measurements.send()
    measurements.send()
    assert numbers(FACTS) == {("MessageAdded",): {"": 4000}}


def test_a_fork_sends_nothing_of_its_parent() -> None:
    measurements.count(FACTS, "MessageAdded")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, str(len(measurements._added)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"0"
    os.close(reading)
    os.close(writing)
    assert len(measurements._added) == 1


def test_series_of_another_version_are_ignored() -> None:
    field = measurements.SEPARATOR.join((REQUESTS.name, "login", "GET"))
    assert list(measurements.series({field: 3}, REQUESTS)) == []
