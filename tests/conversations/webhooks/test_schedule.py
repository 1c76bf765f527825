"""When failed deliveries are tried again, and when they are given up."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.webhooks import schedule
from conversations.webhooks.schedule import PATIENCE, Outcome, after_attempt
from tests.clock import NOW

FAILED = Outcome(False, "status", 500)


def lives_until_parked(chance: float) -> list[timedelta]:
    """Return the moments of all attempts of a delivery that never succeeds."""
    at, attempts, delays = NOW, 0, []
    while True:
        attempts += 1
        delays.append(at - NOW)
        following = after_attempt(
            FAILED, attempts=attempts, first_tried_at=NOW, at=at, chance=chance
        )
        if following.is_parked:
            return delays
        assert following.due_at > at
        at = following.due_at


@given(st.floats(0, 1))
def test_delays_grow_for_24_hours_and_the_last_attempt_is_at_their_end(chance: float) -> None:
    moments = lives_until_parked(chance)
    assert 10 <= len(moments) <= 16
    waits = [b - a for a, b in pairwise(moments)]
    grown = waits[: len(schedule.SECONDS) - 1]
    assert grown == sorted(grown)
    assert moments[-1] == PATIENCE


def test_a_success_ends_it_however_late() -> None:
    ok = Outcome(True, status=200)
    at = NOW + 2 * PATIENCE
    assert after_attempt(ok, attempts=9, first_tried_at=NOW, at=at).is_delivered


@pytest.mark.parametrize(("asked", "seconds"), [(0, 5), (600, 600)])
def test_a_receiver_can_ask_to_wait_longer(asked: int, seconds: int) -> None:
    outcome = Outcome(False, "status", 429, wait_seconds=asked)
    following = after_attempt(outcome, attempts=1, first_tried_at=NOW, at=NOW)
    assert following.due_at - NOW == timedelta(seconds=seconds)


def test_a_receiver_that_is_away_is_noticed_within_five_minutes_after_its_return() -> None:
    for failures in (1, 5, 1000):
        due_at = schedule.after_failed_round(failures, wait_seconds=0, at=NOW)
        assert timedelta(seconds=4) < due_at - NOW <= timedelta(minutes=5)
