"""What an agent has not been told yet, and that he has read it (C25)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from conversations.models import Notice


def unread(agent_id: int) -> QuerySet[Notice]:
    """What this agent has not read, the newest first."""
    mine = Notice.objects.filter(agent=agent_id, read_at=None)
    return mine.select_related("note__agent").order_by("-created_at", "-pk")


def mark_read(agent_id: int, *, at: datetime) -> None:
    """He has read what there was until ``at``."""
    unread(agent_id).filter(created_at__lte=at).update(read_at=at)
