"""An agent's unread notices, and marking them as read (C25)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from conversations.models import Notice


def unread(agent_id: int) -> QuerySet[Notice]:
    """Return the agent's unread notices, the newest first."""
    mine = Notice.objects.filter(agent=agent_id, read_at=None)
    return mine.select_related("note__agent").order_by("-created_at", "-pk")


def mark_read(agent_id: int, *, at: datetime) -> None:
    """Mark the agent's notices up to ``at`` as read."""
    unread(agent_id).filter(created_at__lte=at).update(read_at=at)
