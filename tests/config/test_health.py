"""Probes: the process, and the engines behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client
from pytest_django import Settings

from config import health


@pytest.fixture(autouse=True)
def nothing_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_checks", health.Checks())


def test_health_needs_no_allowed_host_and_no_database(client: Client) -> None:
    response = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"up\n")


def test_ready_when_both_engines_answer(client: Client) -> None:
    response = client.get("/readyz", headers={"host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"ready\n")


@pytest.mark.parametrize(
    ("setting", "address", "named"),
    [
        ("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/causerie", b"PostgreSQL"),
        ("REDIS_URL", "redis://127.0.0.1:1", b"Valkey"),
    ],
)
def test_not_ready_names_the_unreachable_engine(
    client: Client,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    setting: str,
    address: str,
    named: bytes,
) -> None:
    setattr(settings, setting, address)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content == named + b" does not answer\n"
    assert "127.0.0.1" in caplog.text  # the reason is for those who run the product


def test_engines_are_not_asked_for_each_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def problems() -> list[str]:
        asked.append(1)
        return []

    monkeypatch.setattr(health, "problems", problems)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client().get("/readyz").status_code, range(50)))
    assert (set(answers), len(asked)) == ({200}, 1)
    monkeypatch.setattr(health, "CACHE_SECONDS", 0.0)
    client.get("/readyz")
    assert len(asked) == 2
