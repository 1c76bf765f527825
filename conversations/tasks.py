"""Celery tasks for conversations. A task carries no state: rows say what is owed."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from celery import Task, shared_task
from django.conf import settings

from accounts import failed_logins
from accounts.logins import sessions
from accounts.models import Website
from conversations import feed
from conversations.agents import drafts, status_log
from conversations.calls import verbs as calls
from conversations.language_models import calling, summaries
from conversations.lifecycle import deadlines
from conversations.lifecycle.transitions import Refused
from conversations.messages import attachments
from conversations.mirroring import looks, stored_looks
from conversations.privacy import personal_data
from conversations.suggestions import learning, suggestion_log
from conversations.visitors import page_views
from conversations.webhooks import owed as webhooks
from core import idempotency, temporary_files
from core.events import outbox

logger = logging.getLogger(__name__)

PURGED = 500
"""How many visitors of a website the hourly task erases in one run."""

OUTBOX_RETENTION = timedelta(days=3)
"""How long done outbox entries are stored."""


@shared_task
def enforce_deadlines() -> int:
    """Enforce all deadlines that are due, of calls too; return how many conversations moved."""
    now = deadlines.database_now()
    moved = 0
    try:
        while some := deadlines.enforce_many(at=now):
            moved += some
    except Exception:
        # If one fails, all of the batch are enforced one by one below.
        logger.exception("could not enforce deadlines together, retrying one by one")
    for conversation_id in deadlines.past(now):
        try:
            deadlines.enforce(conversation_id, at=now)
        except Refused:
            continue  # Another process was faster.
        except Exception:
            # One row that fails or stays locked must not block the others.
            logger.exception("deadline of conversation %s failed", conversation_id)
            continue
        moved += 1
    _end_calls(now)
    return moved


def _end_calls(now: datetime) -> None:
    """End calls that nobody answered in time, and those that a side has left."""
    for call_id in calls.past(now):
        try:
            calls.enforce(call_id, at=now)
        except Exception:
            # One row that fails or stays locked must not block the others.
            logger.exception("deadline of call %s failed", call_id)


@shared_task
def deliver_outbox() -> int:
    """Run the reactions that are still owed, as after a crash; return how many were run."""
    return outbox.deliver_due()


@shared_task
def end_silent_looks() -> int:
    """End looks at visitors' pages whose desk has fallen silent; return how many."""
    return looks.end_silent(at=deadlines.database_now())


@shared_task
def purge_outbox() -> int:
    """Delete outbox entries that were done some days ago, old answers to the API's clients and old
    entries of the change feed and of the log of webhooks; return how many were of the outbox."""
    now = deadlines.database_now()
    idempotency.purge(before=now - idempotency.RETENTION)
    feed.purge(at=now)
    webhooks.purge(at=now)
    return outbox.purge(before=now - OUTBOX_RETENTION)


@shared_task
def forget_traces() -> int:
    """Delete abandoned drafts and old page views, old attempts to log in, and what was stored of
    looks for long enough; return how many were drafts and page views."""
    now = deadlines.database_now()
    failed_logins.forget(before=now - failed_logins.longest())
    sessions.forget(at=now)
    stored_looks.forget(at=now)
    return drafts.forget(before=now - timedelta(days=settings.DRAFT_DAYS)) + page_views.forget(
        before=now - timedelta(days=settings.PAGE_DAYS)
    )


@shared_task
def forget_spans() -> int:
    """Delete status intervals of agents older than three years; return how many."""
    return status_log.forget(at=deadlines.database_now())


@shared_task
def forget_expired() -> int:
    """Erase some of the visitors whose retention period has ended; return how many."""
    at, forgotten = deadlines.database_now(), 0
    for website in Website.objects.exclude(retention_days=None):
        visitors = list(personal_data.expired(website, at=at).values_list("pk", flat=True)[:PURGED])
        personal_data.forget(website, visitors)
        forgotten += len(visitors)
    return forgotten


@shared_task
def forget_unsent() -> int:
    """Delete files that were uploaded but never sent, and those that a killed process left behind;
    return how many were uploaded."""
    at = deadlines.database_now()
    temporary_files.forget_left_behind(at=at)
    return attachments.forget_unsent(at=at)


@shared_task
def learn_answers() -> int:
    """Learn suggestions from well-closed conversations; return how many were read."""
    return learning.learn_all(at=deadlines.database_now())


@shared_task(bind=True, max_retries=10)
def summarise(task: Task, conversation_id: int) -> bool:
    """Summarise a conversation for the agent who takes over."""
    try:
        return summaries.make(conversation_id, at=deadlines.database_now())
    except calling.Busy as busy:
        raise task.retry(exc=busy, countdown=2) from None


@shared_task(soft_time_limit=10, time_limit=15)
def ask_provider(offer_id: int) -> bool:
    """Ask a website's provider for suggestions, in the background."""
    return suggestion_log.ask_provider(offer_id)
