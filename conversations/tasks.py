"""What beat and the workers do for conversations. A task only nudges; the rows say what is owed."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings

from accounts.models import Website
from conversations.agents import drafts, status_log
from conversations.lifecycle import deadlines
from conversations.lifecycle.transitions import Refused
from conversations.messages import attachments
from conversations.privacy import personal_data
from conversations.suggestions import learning, suggestion_log
from conversations.visitors import page_views
from core.events import outbox

logger = logging.getLogger(__name__)

PURGED = 500
"""So many visitors of a website go in one transaction of an hour's task."""

KEPT = timedelta(days=3)
"""How long it can be seen that a reaction was done."""


@shared_task
def enforce_deadlines() -> int:
    """Move what time moves; returns how many conversations were moved here."""
    now = deadlines.database_now()
    moved = 0
    try:
        while some := deadlines.enforce_many(at=now):
            moved += some
    except Exception:
        # One of them spoils it for the others: then one at a time.
        logger.exception("deadlines could not be enforced together")
    for conversation_id in deadlines.past(now):
        try:
            deadlines.enforce(conversation_id, at=now)
        except Refused:
            continue  # Somebody was quicker.
        except Exception:
            # A row that cannot be moved, or is held too long, must not keep the others waiting.
            logger.exception("the deadline of conversation %s failed", conversation_id)
            continue
        moved += 1
    return moved


@shared_task
def deliver_outbox() -> int:
    """Do what a process that died had left undone; returns how many reactions were run here."""
    return outbox.deliver_due()


@shared_task
def purge_outbox() -> int:
    """Forget the reactions that were done some days ago; returns how many."""
    return outbox.purge(before=deadlines.database_now() - KEPT)


@shared_task
def forget_traces() -> int:
    """Delete drafts that nobody has gone on with, and pages seen long ago; returns how many."""
    now = deadlines.database_now()
    return drafts.forget(before=now - timedelta(days=settings.DRAFT_DAYS)) + page_views.forget(
        before=now - timedelta(days=settings.PAGE_DAYS)
    )


@shared_task
def forget_spans() -> int:
    """Delete how long agents were in a status more than three years ago; returns how many."""
    return status_log.forget(at=deadlines.database_now())


@shared_task
def forget_expired() -> int:
    """Erase visitors whose time on their website is over, some at a time; returns how many."""
    at, forgotten = deadlines.database_now(), 0
    for website in Website.objects.exclude(retention_days=None):
        visitors = list(personal_data.expired(website, at=at).values_list("pk", flat=True)[:PURGED])
        personal_data.forget(visitors)
        forgotten += len(visitors)
    return forgotten


@shared_task
def forget_unsent() -> int:
    """Delete files that were uploaded and never sent; returns how many."""
    return attachments.forget_unsent(at=deadlines.database_now())


@shared_task
def learn_answers() -> int:
    """Learn from what was closed well; returns how many conversations were looked at."""
    return learning.learn_all(at=deadlines.database_now())


@shared_task(soft_time_limit=10, time_limit=15)
def ask_provider(offer_id: int) -> bool:
    """Ask a website's provider for suggestions; nothing waits for it."""
    return suggestion_log.ask_provider(offer_id)
