"""The removal of beat's tables from the admin: the settings write them, nobody edits them by
hand."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat import models

for model in (
    models.PeriodicTask,
    models.IntervalSchedule,
    models.CrontabSchedule,
    models.SolarSchedule,
    models.ClockedSchedule,
):
    admin.site.unregister(model)
