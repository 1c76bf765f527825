"""The counting of requests in a real Valkey, and without one."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from pytest_django import Settings
from redis.asyncio.connection import AbstractConnection as Connection

from core.rates import counters
from core.rates.windows import parse
from core.rejection import TooMany


@pytest.fixture(autouse=True)
def doors(settings: Settings) -> Iterator[None]:
    settings.RATE_LIMITS = {
        "messages": parse("visitor 3/minute, address 5/minute, website 8/minute")
    }
    counters.forget_connections()
    redis.Redis.from_url(settings.RATE_LIMIT_URL).flushdb()
    yield
    counters.forget_connections()


@pytest.fixture
async def connections() -> AsyncIterator[None]:
    yield
    await counters.close()


@contextmanager
def socket_that_never_answers() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def admitted(times: int, **subjects: str) -> int:
    """Return how many of ``times`` requests are admitted."""
    count = 0
    for _ in range(times):
        try:
            counters.hit("messages", **subjects)
        except TooMany:
            continue
        count += 1
    return count


def test_each_limit_counts_its_own() -> None:
    assert admitted(5, visitor="a", address="192.0.2.1", website="shop") == 3
    # The same address still has room for others, and other addresses have theirs.
    assert admitted(5, visitor="b", address="192.0.2.1", website="shop") < 3
    assert admitted(3, visitor="c", address="192.0.2.2", website="other") == 3


def test_refusal_says_when_to_return(settings: Settings) -> None:
    admitted(3, visitor="a")
    with pytest.raises(TooMany) as refused:
        counters.hit("messages", visitor="a")
    assert refused.value.retry_after in range(60, 62)
    assert refused.value.status == 429
    assert "61 seconds" in refused.value.text or "60 seconds" in refused.value.text
    assert TooMany(600).text.endswith("in 10 minutes.")
    assert counters.refused() == {("messages", "visitor"): 1}


def test_ipv6_is_counted_by_its_network() -> None:
    count = sum(admitted(1, address=f"2001:db8::{n}") for n in range(8))
    assert count == 5


def test_addresses_are_not_stored_readably(settings: Settings) -> None:
    admitted(1, address="192.0.2.1")
    keys = redis.Redis.from_url(settings.RATE_LIMIT_URL).keys()
    assert keys
    assert not any(b"192.0.2" in key for key in keys)


async def test_event_loop_counts_with_the_same_windows(connections: None) -> None:
    assert admitted(2, visitor="a") == 2
    await counters.hit_async("messages", visitor="a")
    with pytest.raises(TooMany):
        await counters.hit_async("messages", visitor="a")
    assert counters.refused() == {("messages", "visitor"): 1}


async def test_many_at_once_pass_no_more_than_the_limit(connections: None) -> None:
    hits = (counters.hit_async("messages", visitor=f"{n}", website="shop") for n in range(40))
    answers = await asyncio.gather(*hits, return_exceptions=True)
    assert sum(answer is None for answer in answers) == 8


async def test_admitted_request_costs_one_round_trip(
    connections: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = {"address": "192.0.2.1", "website": "shop"}
    await counters.hit_async("messages", visitor="a", **subjects)
    sent: list[int] = []
    send = Connection.send_packed_command

    async def count(self: Connection, command: Any, check_health: bool = True) -> None:
        sent.append(1)
        await send(self, command, check_health)

    monkeypatch.setattr(Connection, "send_packed_command", count)
    await counters.hit_async("messages", visitor="b", **subjects)
    assert len(sent) == 1


def test_scripts_return_after_a_restart_of_the_server(settings: Settings) -> None:
    assert admitted(1, visitor="a") == 1
    redis.Redis.from_url(settings.RATE_LIMIT_URL).script_flush()
    assert admitted(3, visitor="a") == 2


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/1", "unix:///nowhere?db=1"])
def test_everybody_is_admitted_without_the_server(settings: Settings, address: str) -> None:
    settings.RATE_LIMIT_URL = address
    assert admitted(20, visitor="a") == 20
    assert counters.refused() == {}


def test_hanging_server_holds_up_one_request_only(settings: Settings) -> None:
    with socket_that_never_answers() as port:
        settings.RATE_LIMIT_URL = f"redis://127.0.0.1:{port}/1"
        began = time.monotonic()
        assert admitted(20, visitor="a") == 20
        assert time.monotonic() - began < 3 * counters.WAIT_SECONDS + 1


def test_full_server_admits_everybody(settings: Settings) -> None:
    valkey = redis.Redis.from_url(settings.RATE_LIMIT_URL)
    before = valkey.config_get("maxmemory")["maxmemory"]
    valkey.config_set("maxmemory", 1)
    try:
        assert admitted(10, visitor="a") == 10
    finally:
        valkey.config_set("maxmemory", before)


def test_a_door_without_limits_does_not_query_valkey(settings: Settings) -> None:
    settings.RATE_LIMITS = {}
    settings.RATE_LIMIT_URL = "redis://127.0.0.1:1/1"
    assert admitted(3, visitor="a") == 3
    assert counters._client is None
