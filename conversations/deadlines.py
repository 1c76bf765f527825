"""Deadlines: the moments at which time itself moves a conversation, by the database's clock."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from conversations import lifecycle
from conversations.models import Conversation
from conversations.transactions import retried

enforce = retried(lifecycle.enforce_deadline)


def database_now() -> datetime:
    """The database's clock, which decides what is due; machines may disagree."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def past(at: datetime, limit: int = 1000) -> list[int]:
    """The numbers of conversations whose deadline has come, the longest overdue first."""
    due = Conversation.objects.filter(deadline_at__lte=at).order_by("deadline_at")
    return list(due.values_list("pk", flat=True)[:limit])
