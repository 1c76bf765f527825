"""Heartbeats: noted by beat and by the workers, and read from any process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery.signals import task_postrun
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pytest_django import Settings
from redis import RedisError

from config.beat_scheduler import BeatScheduler
from config.celery import app
from core import tasks
from core.monitoring import heartbeats, valkey


@pytest.fixture(autouse=True)
def nobody_at_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(heartbeats, "_noted_at", {})
    yield
    for name in (heartbeats.BEAT, heartbeats.WORKER):
        valkey.connection().delete(heartbeats._key(name))


def test_nobody_has_been_at_work() -> None:
    assert heartbeats.ages() == {"beat": None, "worker": None}


def test_the_age_is_that_of_the_last_sign() -> None:
    heartbeats.note(heartbeats.WORKER)
    age = heartbeats.ages()["worker"]
    assert age is not None
    assert 0 <= age < 5
    left = heartbeats.STORED_MILLISECONDS - 90_000
    valkey.connection().pexpire(heartbeats._key(heartbeats.WORKER), left)
    assert heartbeats.ages()["worker"] == pytest.approx(90, abs=2)


def test_signs_are_written_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(heartbeats.time, "monotonic", lambda: now)
    key = heartbeats._key(heartbeats.BEAT)
    heartbeats.note(heartbeats.BEAT)
    valkey.connection().delete(key)
    now += 0.9
    heartbeats.note(heartbeats.BEAT)
    assert not valkey.connection().exists(key)
    now += 0.2
    heartbeats.note(heartbeats.BEAT)
    assert valkey.connection().exists(key)


def test_without_valkey_work_goes_on(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.RATE_LIMIT_URL = "redis://127.0.0.1:1"
    heartbeats.note(heartbeats.BEAT)
    assert "could not note that beat is at work" in caplog.text
    with pytest.raises(RedisError):
        heartbeats.ages()


@pytest.mark.django_db
def test_beat_notes_that_it_sent_a_task() -> None:
    every = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.SECONDS)
    task = PeriodicTask.objects.create(name="odd", task="nothing", interval=every)
    beat = BeatScheduler(app=app, lazy=True)
    entry = beat.Entry(task, app=app)
    beat.apply_async(entry, advance=False)
    assert heartbeats.ages()["beat"] is not None
    assert heartbeats.ages()["worker"] is None


@pytest.mark.django_db
@pytest.mark.parametrize("is_eager", [True, False])
def test_a_worker_notes_that_it_finished_a_task(is_eager: bool) -> None:
    tasks.deliver.push_request(is_eager=is_eager)
    try:
        task_postrun.send(sender=tasks.deliver, task=tasks.deliver)
    finally:
        tasks.deliver.pop_request()
    assert (heartbeats.ages()["worker"] is None) == is_eager
