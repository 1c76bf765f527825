"""What beat and the workers do for conversations. A task only nudges; the rows say what is owed."""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task

from conversations import deadlines, outbox
from conversations.transitions import Refused


@shared_task
def enforce_deadlines() -> int:
    """Move what time moves; returns how many conversations were moved here."""
    moved = 0
    now = deadlines.database_now()
    for conversation_id in deadlines.past(now):
        with suppress(Refused):  # Somebody was quicker.
            deadlines.enforce(conversation_id, at=now)
            moved += 1
    return moved


@shared_task
def deliver_outbox() -> int:
    """Do what a process that died had left undone; returns how many reactions were run here."""
    return outbox.deliver_due()
