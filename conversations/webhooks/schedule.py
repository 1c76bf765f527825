"""When a failed delivery is tried again, and when it is given up: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SECONDS = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
"""The waits after the first failures. The last one is repeated."""

PATIENCE = timedelta(hours=24)
"""From the first attempt at a delivery until it is parked."""

PAUSE_AFTER = timedelta(days=3)
"""Without any success, a webhook is paused after this time."""

LONGEST_PROBE = timedelta(minutes=5)
"""A receiver that was away is noticed at the latest after this time."""

GONE = 410
ASKS_TO_WAIT = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: with a status, or with a trouble instead of one."""

    is_success: bool
    trouble: str = ""
    status: int | None = None
    answer: str = ""
    duration_ms: int | None = None
    wait_seconds: int = 0
    """What the receiver has asked for; 0 if nothing."""


@dataclass(frozen=True, slots=True)
class Next:
    """What follows from an attempt: ``due_at`` is when to try again, unless it is over."""

    due_at: datetime
    is_delivered: bool = False
    is_parked: bool = False


def wait_after(failures: int, *, chance: float = 0.5) -> timedelta:
    """Return how long to wait after so many failures, 10% more or less by ``chance`` (0 to 1), so
    that deliveries that failed together do not come back together."""
    seconds = SECONDS[min(failures, len(SECONDS)) - 1]
    return timedelta(seconds=seconds * (0.9 + 0.2 * chance))


def after_attempt(
    outcome: Outcome,
    *,
    attempts: int,
    first_tried_at: datetime,
    at: datetime,
    chance: float = 0.5,
) -> Next:
    """Return what follows from the attempt that is number ``attempts``."""
    if outcome.is_success:
        return Next(at, is_delivered=True)
    if at - first_tried_at >= PATIENCE:
        return Next(at, is_parked=True)
    asked = timedelta(seconds=outcome.wait_seconds)
    due_at = at + max(wait_after(attempts, chance=chance), asked)
    # The last attempt is made when the patience ends, not hours before it.
    return Next(max(at, min(due_at, first_tried_at + PATIENCE)))


def after_failed_round(failures: int, *, wait_seconds: int, at: datetime) -> datetime:
    """Return when to try a receiver again after so many rounds without any success."""
    wait = min(wait_after(failures), LONGEST_PROBE)
    return at + max(wait, timedelta(seconds=wait_seconds))
