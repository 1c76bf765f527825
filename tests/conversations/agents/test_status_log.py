"""Status intervals of agents: split at full hours, completed with durations, repaired."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Agent, Channel
from conversations.agents import status_log
from conversations.models import StatusInterval
from routing import presence
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, on_desk

QUARTER = timedelta(minutes=15)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2035-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "start", "end", "cuts"),
    [
        ("Europe/Paris", "03-05T10:20", "03-05T10:50", []),
        ("Europe/Paris", "03-05T10:20", "03-05T12:10", ["03-05T11:00", "03-05T12:00"]),
        ("Asia/Kolkata", "03-05T18:10", "03-05T19:00", ["03-05T18:30"]),  # its midnight
        ("Europe/Paris", "03-25T00:30", "03-25T02:10", ["03-25T01:00", "03-25T02:00"]),
        ("Australia/Lord_Howe", "03-31T14:40", "03-31T15:40", ["03-31T15:00", "03-31T15:30"]),
        ("Europe/Paris", "03-05T10:20", "03-05T10:20", None),
    ],
)
def test_interval_is_split_at_full_local_hours(
    zone: str, start: str, end: str, cuts: list[str] | None
) -> None:
    pieces = list(status_log.pieces_of(at(start), at(end), ZoneInfo(zone)))
    if cuts is None:
        assert pieces == []
        return
    marks = [at(start), *map(at, cuts), at(end)]
    assert pieces == list(itertools.pairwise(marks))


def test_overlapping_intervals_are_counted_once() -> None:
    one, two, three = ((NOW + n * QUARTER, NOW + (n + 2) * QUARTER) for n in (-1, 0, 3))
    assert status_log.covered([three, two, one], NOW, NOW + 4 * QUARTER) == 3 * 900
    assert status_log.covered([], NOW, NOW + QUARTER) == 0


@pytest.fixture
def alice(db: None) -> Agent:
    agent = AgentFactory(available=False)
    StepFactory(group__members=[agent])
    return agent


def intervals(agent: Agent) -> list[tuple[bool, int, int | None]]:
    """Return whether available, from which minute to which, in order."""
    return [
        (
            span.is_available,
            int((span.started_at - NOW).total_seconds() / 60),
            None if span.ended_at is None else int((span.ended_at - NOW).total_seconds() / 60),
        )
        for span in StatusInterval.objects.filter(agent=agent).order_by("started_at")
    ]


def test_each_change_ends_an_interval_and_starts_the_next(alice: Agent) -> None:
    assert NOW.minute == 0
    presence.connect(alice.pk, uuid.uuid4(), at=NOW)
    presence.connect(alice.pk, uuid.uuid4(), at=NOW + QUARTER)
    presence.set_available(alice.pk, Channel.CHAT, True, at=NOW + QUARTER)
    presence.set_available(alice.pk, Channel.CHAT, True, at=NOW + 2 * QUARTER)
    assert intervals(alice) == [(False, 0, 15), (True, 15, None)]
    presence.log_out(alice.pk, at=NOW + 9 * QUARTER)
    assert intervals(alice) == [(False, 0, 15), (True, 15, 60), (True, 60, 120), (True, 120, 135)]


def test_keep_spans_splits_and_repairs_intervals(alice: Agent) -> None:
    presence.connect(alice.pk, uuid.uuid4(), at=NOW)
    assert presence.keep_spans(at=NOW + QUARTER) == 0
    alice.channels.update(is_available=True)  # as no verb does
    presence.keep_spans(at=NOW + 2 * QUARTER)
    presence.keep_spans(at=NOW + 5 * QUARTER)
    presence.keep_spans(at=NOW + 5 * QUARTER)
    assert intervals(alice) == [(False, 0, 30), (True, 30, 60), (True, 60, None)]
    alice.groups.clear()
    presence.keep_spans(at=NOW + 6 * QUARTER)
    assert intervals(alice)[-1] == (True, 60, 90)


def test_interval_records_time_with_open_conversations(alice: Agent) -> None:
    presence.connect(alice.pk, uuid.uuid4(), at=NOW)
    group = alice.groups.get()
    step = StepFactory(group=group, rule__website=group.website)
    on_desk(step, alice, at=NOW + QUARTER)
    presence.log_out(alice.pk, at=NOW + 3 * QUARTER)
    span = StatusInterval.objects.get()
    assert (span.busy_seconds, span.open_seconds) == (1800, 2700)


def test_intervals_are_deleted_after_the_retention_period(alice: Agent) -> None:
    presence.connect(alice.pk, uuid.uuid4(), at=NOW)
    presence.log_out(alice.pk, at=NOW + QUARTER)
    assert status_log.forget(at=NOW + status_log.RETENTION) == 0
    assert status_log.forget(at=NOW + status_log.RETENTION + QUARTER) == 1
