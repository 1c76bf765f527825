"""A ticket opens one socket, within a minute, with and without Valkey."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.core.cache import cache
from redis.exceptions import ConnectionError as Away

from messenger import tickets
from messenger.tickets import Holder
from tests.clock import NOW


def test_a_ticket_is_redeemed_once() -> None:
    only = uuid.uuid4()
    ticket = tickets.issue(7, only, token_hash="hash")
    assert tickets.redeem(ticket) == Holder(7, str(only), "hash")
    assert tickets.redeem(ticket) is None


def test_a_forged_ticket_is_refused() -> None:
    of_another_purpose = signing.dumps([1, 7, None, None])
    changed = tickets.issue(7)[:-1] + "?"
    for ticket in ("", "x", "a:b:c", of_another_purpose, changed):
        assert tickets.redeem(ticket) is None


def test_a_ticket_expires() -> None:
    with time_machine.travel(NOW, tick=False) as time:
        one, other = tickets.issue(7), tickets.issue(7)
        time.shift(tickets.SECONDS)
        assert tickets.redeem(one) == Holder(7, None, None)
        time.shift(1)
        assert tickets.redeem(other) is None


def test_without_valkey_a_ticket_is_good_for_its_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise Away

    monkeypatch.setattr(cache, "add", refuse)
    assert tickets.redeem(tickets.issue(7)) == Holder(7, None, None)
    assert tickets.redeem("x") is None
