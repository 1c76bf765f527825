"""What beat and the workers do for reports."""

from __future__ import annotations

from celery import shared_task

from conversations import deadlines
from reporting import subscriptions


@shared_task
def mail_reports() -> int:
    """Have the reports mailed that are due; returns how many."""
    return subscriptions.owe_due(at=deadlines.database_now())
