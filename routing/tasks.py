"""What beat and the workers do for routing."""

from __future__ import annotations

from celery import shared_task

from conversations.lifecycle import deadlines
from routing import opening, presence, repairs
from routing.actions import assignment, reclaiming


@shared_task
def open_and_close() -> int:
    """Groups whose opening or closing time has come; returns how many there were."""
    return opening.open_and_close(at=deadlines.database_now())


@shared_task
def sweep() -> dict[str, int]:
    """Notice lost desks, release what is stranded or may not be where it is, and push what an event
    should have pushed."""
    at = deadlines.database_now()
    return {
        "lost": presence.notice_losses(at=at),
        "released": assignment.release_stranded(at=at),
        "reclaimed": reclaiming.sweep(),
        "repaired": repairs.sweep(at=at),
    }


@shared_task
def keep_spans() -> int:
    """Cut the times that agents were in a status at the full hour."""
    return presence.keep_spans(at=deadlines.database_now())
