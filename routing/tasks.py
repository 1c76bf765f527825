"""What beat and the workers do for routing."""

from __future__ import annotations

import logging

from celery import shared_task

from conversations import deadlines
from routing import desks, dispatch, presence

logger = logging.getLogger(__name__)


@shared_task
def sweep() -> dict[str, int]:
    """Notice lost desks, release what is stranded, and push what an event should have pushed."""
    at = deadlines.database_now()
    done = {
        "lost": presence.notice_losses(at=at),
        "released": desks.release_stranded(at=at),
        "repaired": dispatch.drain_all(at=at),
    }
    if done["repaired"]:
        logger.warning("the sweep pushed %(repaired)s conversations that nobody had", done)
    return done
