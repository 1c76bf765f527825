"""The Celery application; its tasks are in the apps' ``tasks.py``."""

from __future__ import annotations

import os
import time
from functools import cached_property

from celery import Celery, Task
from celery.signals import task_postrun, task_prerun, worker_process_init, worker_shutting_down
from django.db import close_old_connections

from core import log_context
from core.monitoring import heartbeats, measurements, tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Causerie(Celery):
    @cached_property
    def Beat(self) -> type:
        """The class of ``celery beat``."""
        beat: type = self.subclass_with_self("config.beat:Stoppable", name="Beat")
        return beat


app = Causerie("causerie")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def start_event_loop(**signal: object) -> None:
    """Start the event loop through which this worker process pushes."""
    from core.realtime import event_loop  # The settings are configured only by now.

    event_loop.start()


@worker_shutting_down.connect
def announce_shutdown(**signal: object) -> None:
    """Tell long tasks to give back their work."""
    from core import shutdown

    shutdown.announce()


@task_prerun.connect
def note_begin(task: Task, **signal: object) -> None:
    """Remember when a task began, forget what the one before was about, and begin a trace or
    continue that of whoever asked for it."""
    task.request.begun = time.perf_counter()
    if not task.request.is_eager:
        log_context.begin_task()
        parent = getattr(task.request, tracing.TRACEPARENT, None) or ""
        task.request.trace = tracing.span(task.name, parent=parent)
        task.request.trace.__enter__()


@task_postrun.connect
def measure(task: Task, state: str | None = None, **signal: object) -> None:
    """Count and time a task that a worker has ended."""
    if (trace := getattr(task.request, "trace", None)) is not None:
        trace.__exit__(None, None, None)
    begun = getattr(task.request, "begun", None)
    if not task.request.is_eager and begun is not None:
        measurements.count(measurements.TASKS, task.name, (state or "unknown").lower())
        measurements.observe(measurements.TASK_SECONDS, time.perf_counter() - begun, task.name)


@task_postrun.connect
def release_connection(task: Task, **signal: object) -> None:
    """Give back the database connection after each task, as after each request; the pool keeps it
    for the next. A task that runs eagerly uses its caller's connection. Then show that a worker
    works."""
    if not task.request.is_eager:
        close_old_connections()
        heartbeats.note(heartbeats.WORKER)
