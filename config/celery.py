"""The Celery application; its tasks are in the apps' ``tasks.py``."""

from __future__ import annotations

import os
from functools import cached_property

from celery import Celery, Task
from celery.signals import task_postrun, worker_process_init, worker_shutting_down
from django.db import close_old_connections

from core.monitoring import heartbeats

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


@task_postrun.connect
def release_connection(task: Task, **signal: object) -> None:
    """Give back the database connection after each task, as after each request; the pool keeps it
    for the next. A task that runs eagerly uses its caller's connection. Then show that a worker
    works."""
    if not task.request.is_eager:
        close_old_connections()
        heartbeats.note(heartbeats.WORKER)
