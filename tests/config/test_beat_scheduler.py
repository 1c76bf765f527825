"""Beat checks its schedule now and then, and still notices a change."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import time_machine
from celery.beat import Service
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config import beat_scheduler
from config.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_schedule_change_is_noticed_without_needless_queries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(beat_scheduler.time, "monotonic", lambda: now)
    with time_machine.travel("2026-11-22 10:00:00Z", tick=False) as clock:
        every = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.SECONDS)
        task = PeriodicTask.objects.create(name="odd", task="nothing", interval=every)
        beat = beat_scheduler.BeatScheduler(app=app, lazy=True)
        assert not beat.schedule_changed()  # the first check only remembers
        clock.shift(1)
        task.enabled = False
        task.save()
        with CaptureQueriesContext(connection) as queries:
            assert not beat.schedule_changed()
        assert len(queries) == 0
        now += beat_scheduler.LOOK_SECONDS
        assert beat.schedule_changed()


@pytest.fixture
def signals() -> Iterator[None]:
    handlers = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    for name, handler in handlers.items():
        signal.signal(name, handler)


@pytest.mark.usefixtures("signals")
def test_beat_stops_when_the_database_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the signal arrives during a query whose caller ignores database errors."""

    def fail(service: Service) -> None:
        raise DatabaseError

    monkeypatch.setattr(Service, "sync", fail)
    app.Beat().install_sync_handler(Service(app=app))
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
