"""Periodic tasks of routing."""

from __future__ import annotations

from celery import shared_task

from conversations.lifecycle import deadlines
from routing import opening, presence, repairs
from routing.actions import assignment, reclaiming


@shared_task
def open_and_close() -> int:
    """Open or close groups whose time has come; return how many there were."""
    return opening.open_and_close(at=deadlines.database_now())


@shared_task
def sweep() -> dict[str, int]:
    """Notice lost desks, release what is stranded, reclaim what its agent may not have, and push
    what an event should have pushed.
    """
    at = deadlines.database_now()
    return {
        "lost": presence.notice_losses(at=at),
        "released": assignment.release_stranded(at=at),
        "reclaimed": reclaiming.sweep(),
        "repaired": repairs.sweep(at=at),
    }


@shared_task
def keep_spans() -> int:
    """Split agents' status intervals at the full hour."""
    return presence.keep_spans(at=deadlines.database_now())
