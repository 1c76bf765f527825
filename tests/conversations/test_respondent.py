"""The respondent shown to visitors, by state, messages of agents and their connection."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from conversations.lifecycle.transitions import Status
from conversations.respondent import Part, respondent
from tests.clock import NOW

MINUTE = timedelta(minutes=1)
BEFORE, AFTER = NOW - MINUTE, NOW + MINUTE


@pytest.mark.parametrize(
    ("status", "wrote_at", "is_connected", "after", "part"),
    [
        (Status.ACTIVE, AFTER, True, 60, Part.TALKING),
        (Status.ACTIVE, NOW, True, 60, Part.TALKING),
        # Pushed and never opened; or a colleague's message from before.
        (Status.ACTIVE, None, True, 60, Part.RECEIVED),
        (Status.ACTIVE, BEFORE, True, 60, Part.RECEIVED),
        # A closed lid; or a program that answers by the API and has no desk at all.
        (Status.ACTIVE, AFTER, False, 60, Part.AWAY),
        (Status.ACTIVE, None, False, 60, Part.AWAY),
        (Status.ACTIVE, BEFORE, False, 1, Part.AWAY),
        (Status.ACTIVE, AFTER, False, 5, Part.TALKING),
        # Transferred to an agent, or kept and awake again, whether they are there or not.
        (Status.ASSIGNED, AFTER, True, 60, Part.EXPECTED),
        (Status.ASSIGNED, None, False, 60, Part.EXPECTED),
        (Status.SNOOZED, AFTER, True, 60, None),
        (Status.PENDING, AFTER, True, 60, None),
        (Status.ON_HOLD, AFTER, True, 60, None),
        (Status.SOLVED, AFTER, True, 60, None),
        (Status.QUEUED, AFTER, True, 60, None),
        (Status.BOT, None, True, 60, None),
        (Status.CLOSED, AFTER, False, 60, Part.ENDED),
    ],
)
def test_only_a_current_respondent_is_shown(
    status: Status, wrote_at: datetime | None, is_connected: bool, after: int, part: Part | None
) -> None:
    shown = respondent(
        status,
        "Alice",
        since=NOW,
        wrote_at=wrote_at,
        is_connected=is_connected,
        at=NOW + after * MINUTE,
    )
    assert (shown and shown.part) == part


@pytest.mark.parametrize("status", list(Status))
def test_no_respondent_without_an_agent(status: Status) -> None:
    shown = respondent(status, None, since=NOW, wrote_at=NOW, is_connected=True, at=NOW)
    assert shown is None
