"""What beat and the workers do for the Messenger. A task only nudges; rows say what is owed."""

from __future__ import annotations

from celery import shared_task

from conversations.lifecycle.deadlines import database_now
from messenger.mail import delivery, pending_mails


@shared_task
def write_to_visitors() -> int:
    """Look whom to write to, and send what is owed; returns how many mails were accepted here."""
    now = database_now()
    pending_mails.look(at=now)
    return delivery.send_due(at=now)
