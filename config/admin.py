"""The removal of libraries' tables from the admin: the product writes them, nobody edits them by
hand."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django_celery_beat import models

for model in (
    models.PeriodicTask,
    models.IntervalSchedule,
    models.CrontabSchedule,
    models.SolarSchedule,
    models.ClockedSchedule,
    EmailAddress,
    Authenticator,
):
    admin.site.unregister(model)
