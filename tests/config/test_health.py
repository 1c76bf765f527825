"""Probes: the process, and what it needs and lacks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from time import monotonic

import pytest
from django.test import Client
from pytest_django import Settings

from config import health, readiness
from config.readiness import Check, Report, State
from core.monitoring import heartbeats

TOKEN = "a token of twenty characters"
AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def nothing_checked(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(health, "_checks", health.Checks())
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Beat and a worker, which the tests do not start."""
    monkeypatch.setattr(heartbeats, "_noted_at", {})
    heartbeats.note(heartbeats.BEAT)
    heartbeats.note(heartbeats.WORKER)
    yield
    for name in (heartbeats.BEAT, heartbeats.WORKER):
        heartbeats.valkey.connection().delete(heartbeats._key(name))


def test_health_needs_no_allowed_host_and_no_database(client: Client) -> None:
    response = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"up\n")


@pytest.mark.usefixtures("at_work")
def test_ready_when_everything_is_there(client: Client) -> None:
    response = client.get("/readyz", headers={"host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"ready\n")


@pytest.mark.usefixtures("at_work")
def test_not_ready_without_the_database(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATABASE_URL = "postgresql://postgres@127.0.0.1:1/causerie"
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (503, b"not ready\ndatabase\n")
    assert "127.0.0.1" in caplog.text  # the reason is for those who run the product


def test_ready_but_degraded_without_valkey(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Messages still flow: a balancer must not take the processes away."""
    settings.RATE_LIMIT_URL = "redis://127.0.0.1:1"
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ready, but degraded\nvalkey\n")
    assert "127.0.0.1" in caplog.text


def test_ready_but_degraded_without_beat_and_workers(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_started_at", monotonic())
    assert client.get("/readyz").content == b"ready\n"
    monkeypatch.setattr(readiness, "_started_at", monotonic() - readiness.STARTING_SECONDS)
    monkeypatch.setattr(health, "_checks", health.Checks())
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ready, but degraded\nbeat\nworker\n")


@pytest.mark.usefixtures("at_work")
def test_the_bearer_of_the_token_reads_each_check(client: Client, settings: Settings) -> None:
    answer = client.get("/readyz", headers=AUTHORIZED)
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    report = answer.json()
    assert report["status"] == "ready"
    assert list(report["checks"]) == [
        *("database", "migrations", "outbox", "valkey", "beat", "worker", "disk"),
    ]
    assert {check["state"] for check in report["checks"].values()} == {"ok"}
    settings.DATABASE_URL = "postgresql://postgres@127.0.0.1:1/causerie"
    health._checks = health.Checks()
    answer = client.get("/readyz", headers=AUTHORIZED)
    assert answer.status_code == 503
    assert "127.0.0.1" in answer.json()["checks"]["database"]["detail"]


def test_others_read_no_reason(client: Client, settings: Settings) -> None:
    settings.DATABASE_URL = "postgresql://postgres@127.0.0.1:1/causerie"
    for headers in ({}, {"authorization": "Bearer another token of twenty"}):
        assert b"127.0.0.1" not in client.get("/readyz", headers=headers).content


def test_an_older_schema_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    known = readiness.known_migrations() | {("routing", "9999_tomorrow")}
    monkeypatch.setattr(readiness, "_is_migrated", set())
    monkeypatch.setattr(readiness, "known_migrations", lambda: known)
    answer = client.get("/readyz", headers=AUTHORIZED)
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"]["detail"] == "1 are missing: routing.9999_tomorrow"


def test_known_migrations_are_those_of_django() -> None:
    from django.db.migrations.loader import MigrationLoader

    known = set(MigrationLoader(None).disk_migrations)
    assert readiness.known_migrations() == known
    assert len(known) > 100


def test_engines_are_not_asked_for_each_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def read() -> Report:
        asked.append(1)
        return Report((Check("database"),), datetime.now(UTC))

    monkeypatch.setattr(readiness, "read", read)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client().get("/readyz").status_code, range(50)))
    assert (set(answers), len(asked)) == ({200}, 1)
    monkeypatch.setattr(health, "CACHE_SECONDS", 0.0)
    client.get("/readyz")
    assert len(asked) == 2


def test_checks_that_hang_are_not_started_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, healed = [], Event()

    def read() -> Report:
        asked.append(1)
        healed.wait(30)
        return Report((Check("database"),), datetime.now(UTC))

    monkeypatch.setattr(readiness, "read", read)
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(health, "CACHE_SECONDS", 0.0)
    try:
        assert [client.get("/readyz").status_code for _ in range(3)] == [503] * 3
        assert len(asked) == 1
    finally:
        healed.set()
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 5.0)
    assert client.get("/readyz").status_code == 200
    assert len(asked) <= 2


def test_a_trouble_is_logged_once(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "config.health")
    checks = [Check("disk", State.DEGRADED, "12 MiB are free for files")]
    monkeypatch.setattr(readiness, "read", lambda: Report(tuple(checks), datetime.now(UTC)))
    monkeypatch.setattr(health, "CACHE_SECONDS", 0.0)
    for _ in range(3):
        client.get("/readyz")
    assert caplog.text.count("ready, but degraded: disk: 12 MiB are free for files") == 1
    checks.clear()
    for _ in range(3):
        client.get("/readyz")
    assert caplog.text.count("ready again") == 1
