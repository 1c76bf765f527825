"""Periodic tasks of the Messenger. A task is only a trigger; rows say what is owed."""

from __future__ import annotations

from celery import shared_task

from conversations.lifecycle.deadlines import database_now
from messenger.mail import delivery, pending_mails


@shared_task
def write_to_visitors() -> int:
    """Decide about e-mails and send those owed; return how many were accepted here."""
    now = database_now()
    pending_mails.look(at=now)
    return delivery.send_due(at=now)
