"""The Celery application; its tasks are in the apps' ``tasks.py``."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import task_postrun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("causerie")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_postrun.connect
def give_back(**told: object) -> None:
    """A connection is for one task, as it is for one request; the pool keeps it for the next."""
    close_old_connections()
