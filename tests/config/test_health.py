"""Probes: the process, and the engines behind it."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings


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
    client: Client, settings: Settings, setting: str, address: str, named: bytes
) -> None:
    setattr(settings, setting, address)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content.startswith(named)
    assert response.content.count(b"\n") == 1
