"""Tasks of the plumbing."""

from __future__ import annotations

from celery import shared_task

from core.events import outbox


@shared_task
def deliver(entry_id: int) -> bool:
    """Run an owed reaction in a worker; return whether it succeeded."""
    return outbox.deliver(entry_id)
