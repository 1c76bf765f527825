"""The judgement of each check, and the age of what is owed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from config import readiness
from config.readiness import Check, Report, State
from core.models import OutboxEntry

OK, DEGRADED, FAILED = State.OK, State.DEGRADED, State.FAILED


@pytest.mark.parametrize(
    ("beat", "worker", "states"),
    [
        (1.0, 1.0, (OK, OK)),
        (30.0, 60.0, (OK, OK)),
        (31.0, 31.0, (DEGRADED, OK)),
        (3600.0, 3600.0, (DEGRADED, OK)),  # without beat, a worker has nothing to do
        (1.0, 62.0, (OK, DEGRADED)),
        (3600.0, 3700.0, (DEGRADED, DEGRADED)),
        (1.0, None, (OK, DEGRADED)),
        (None, 1.0, (DEGRADED, OK)),
        (None, None, (DEGRADED, DEGRADED)),
    ],
)
def test_beat_and_workers(
    beat: float | None, worker: float | None, states: tuple[State, State]
) -> None:
    checks = readiness.judge_heartbeats(beat, worker)
    assert [check.name for check in checks] == ["beat", "worker"]
    assert tuple(check.state for check in checks) == states


def test_outbox_and_disk() -> None:
    assert readiness.judge_outbox(60).state == OK
    assert readiness.judge_outbox(61) == Check("outbox", DEGRADED, "a reaction is overdue for 61 s")
    assert readiness.judge_disk(readiness.FREE_BYTES).state == OK
    assert readiness.judge_disk(3 * 2**20) == Check("disk", DEGRADED, "3 MiB are free for files")


@pytest.mark.parametrize(
    ("states", "worst"),
    [((), OK), ((OK, OK), OK), ((OK, DEGRADED), DEGRADED), ((FAILED, DEGRADED, OK), FAILED)],
)
def test_the_worst_state_is_that_of_the_whole(states: tuple[State, ...], worst: State) -> None:
    checks = tuple(Check(str(number), state) for number, state in enumerate(states))
    report = Report(checks, datetime.now(UTC))
    assert report.state == worst
    assert all(check.state != OK for check in report.troubled())


@pytest.mark.django_db(transaction=True)
def test_the_oldest_owed_reaction_counts() -> None:
    now = timezone.now()
    old = now - timedelta(hours=1)
    OutboxEntry.objects.create(reaction="done", payload={}, due_at=old, done_at=now)
    OutboxEntry.objects.create(reaction="dead", payload={}, due_at=old, dead_at=now)
    OutboxEntry.objects.create(reaction="soon", payload={}, due_at=now + timedelta(minutes=5))
    parameters = connection.get_connection_params()
    address = {name: parameters[name] for name in ("dbname", "user", "host") if name in parameters}
    with psycopg.connect(**address, autocommit=True) as own:
        assert readiness._outbox(own).state == OK
        owed = now - timedelta(minutes=2)
        OutboxEntry.objects.create(reaction="owed", payload={}, due_at=owed)
        assert readiness._outbox(own).state == DEGRADED
