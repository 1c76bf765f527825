"""The shifts of agents and the contacts of a conversation, as a replay needs them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.lifecycle.transitions import EndReason
from reporting.simulator.model import Shift, Stay
from reporting.simulator.shifts import Spell, Status, life_of, most_at_once, shifts_of
from tests.clock import NOW

MINUTE = timedelta(minutes=1)


def at(minute: float) -> datetime:
    return NOW + minute * MINUTE


def spell(
    start: float,
    end: float,
    *,
    queued_at: float | None = None,
    agent: int = 1,
    why: str = EndReason.CLOSED,
    group: int | None = 10,
) -> Spell:
    waited_from = start if queued_at is None else queued_at
    return Spell(1, agent, group, at(waited_from), at(start), at(end), why)


def test_a_conversation_becomes_its_contacts_and_pauses() -> None:
    contacts = [
        spell(5, 15, queued_at=0, why=EndReason.SNOOZED),
        spell(80, 90, queued_at=75, why=EndReason.TRANSFERRED),
        # Released: it kept its former rank, and waited from the moment it left the desk.
        spell(95, 99, queued_at=90, agent=2, why=EndReason.RELEASED),
        spell(120, 121, queued_at=90, agent=2, group=None),
    ]
    assert life_of(contacts, 20) == (
        Stay(10, 10 * MINUTE),
        Stay(10, 10 * MINUTE, away=60 * MINUTE, to_agent=True),
        Stay(10, 4 * MINUTE),
        Stay(20, 1 * MINUTE),
    )


def test_shifts_span_contacts_except_long_pauses() -> None:
    contacts = [spell(0, 10), spell(5, 20), spell(50, 60), spell(91, 95), spell(3, 4, agent=2)]
    assert list(shifts_of(contacts, [])) == [
        Shift(1, at(0), at(60)),
        Shift(1, at(91), at(95)),
        Shift(2, at(3), at(4)),
    ]
    assert most_at_once(contacts) == {1: 2, 2: 1}


def status(start: float, end: float, *, available: bool = True, agent: int = 1) -> Status:
    return Status(agent, available, at(start), at(end))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        pytest.param([], [(0, 20), (60, 70)], id="without a log, the contacts"),
        pytest.param(
            [status(0, 60), status(60, 120)], [(0, 120)], id="pieces of an hour are one shift"
        ),
        pytest.param(
            [status(0, 5), status(5, 70, available=False)],
            [(0, 5)],
            id="contacts do not make an agent available who chose not to be",
        ),
        pytest.param(
            [status(-60, -30), status(-30, 90, available=False), status(90, 99)],
            [(-60, -30), (90, 99)],
            id="nor a pause",
        ),
        pytest.param([status(15, 30)], [(0, 30)], id="contacts before the log began, then the log"),
        pytest.param([status(15, 30, available=False)], [(0, 15)], id="until the log began"),
        pytest.param([status(30, 50, agent=2)], [(0, 20), (60, 70)], id="each agent alone"),
    ],
)
def test_shifts_follow_the_logged_availability(
    statuses: list[Status], expected: list[tuple[float, float]]
) -> None:
    contacts = [spell(0, 20), spell(60, 70)]
    mine = [shift for shift in shifts_of(contacts, statuses) if shift.agent_id == 1]
    assert mine == [Shift(1, at(start), at(end)) for start, end in expected]


minutes = st.integers(0, 100)
intervals = st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1])


@settings(max_examples=200, deadline=None)
@given(st.lists(intervals, max_size=6), st.lists(intervals, max_size=6), st.data())
def test_shifts_match_the_available_minutes_and_never_touch(
    worked: list[tuple[int, int]], logged: list[tuple[int, int]], data: st.DataObject
) -> None:
    """An agent who comes at the moment they go would be away in the replay: ``_Kind`` sorts so."""
    statuses = [
        status(start, end, available=data.draw(st.booleans(), label=f"{start}-{end}"))
        for start, end in logged
    ]
    contacts = [spell(start, end) for start, end in worked]
    shifts = list(shifts_of(contacts, statuses))
    assert all(one.ends_at < following.starts_at for one, following in pairwise(shifts))
    since = min((start for start, _end in logged), default=100)
    for minute in range(since, 100):
        here = at(minute + 0.5)
        is_there = any(shift.starts_at < here < shift.ends_at for shift in shifts)
        is_available = any(
            one.is_available and one.starts_at < here < one.ends_at for one in statuses
        )
        assert is_there == is_available
