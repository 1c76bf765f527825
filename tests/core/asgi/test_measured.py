"""Requests are measured under the names of views, whatever address was asked for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from core.asgi.measured import FOUND, measured, name_view
from core.monitoring import measurements, processes, valkey
from tests.config.test_asgi import asked, engines_at_rest

__all__ = ["engines_at_rest"]


@pytest.fixture(autouse=True)
def nothing_measured() -> None:
    measurements._added.clear()
    measurements._known.clear()
    valkey.connection().delete(measurements.COUNTS)


def counted() -> dict[tuple[str, ...], int]:
    measurements.send()
    found = measurements.series(measurements.read(), measurements.REQUESTS)
    return {tuple(labels): numbers[""] for labels, numbers in found}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_requests_are_counted_by_view_method_and_status() -> None:
    await asked("GET", "/login/")
    await asked("BREW", "/login/")
    await asked("GET", f"/messenger/nobody/conversations/{uuid.uuid4()}/messages/")
    await asked("GET", "/healthz")
    assert counted() == {
        ("login", "GET", "2xx"): 1,
        ("login", "other", "4xx"): 1,
        ("messenger.asgi.messages", "GET", "4xx"): 1,
        ("none", "GET", "2xx"): 1,
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_addresses_make_no_series() -> None:
    for _ in range(20):
        await asked("GET", f"/{uuid.uuid4()}/")
        await asked("GET", f"/static/{uuid.uuid4()}.css")
    assert set(counted()) <= {("none", "GET", "4xx"), ("static", "GET", "4xx")}


async def test_running_requests_are_counted_also_when_one_fails() -> None:
    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert processes.running_requests == 1
        name_view(scope, "broken")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await measured(application)({"method": "GET"}, None, None)
    assert processes.running_requests == 0
    assert counted() == {("broken", "GET", "none"): 1}


def test_without_measurement_a_name_goes_nowhere() -> None:
    scope: dict[str, Any] = {}
    name_view(scope, "login")
    assert FOUND not in scope
