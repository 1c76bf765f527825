"""The Celery application; its tasks are in the apps' ``tasks.py``."""

from __future__ import annotations

import os
from functools import cached_property

from celery import Celery, Task
from celery.signals import task_postrun, worker_process_init, worker_shutting_down
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Causerie(Celery):
    @cached_property
    def Beat(self) -> type:
        """The class of ``celery beat``."""
        found: type = self.subclass_with_self("config.beat:Stoppable", name="Beat")
        return found


app = Causerie("causerie")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def have_a_loop(**told: object) -> None:
    """Each process of the worker pushes through one loop of its own."""
    from core.realtime import event_loop  # Only now are the settings there.

    event_loop.start()


@worker_shutting_down.connect
def say_so(**told: object) -> None:
    """Those who are at something long give it back."""
    from core import shutdown

    shutdown.announce()


@task_postrun.connect
def give_back(task: Task, **told: object) -> None:
    """A connection is for one task, as it is for one request; the pool keeps it for the next. A
    task that is run at once, where it is called, has its caller's."""
    if not task.request.is_eager:
        close_old_connections()
