"""Writing and reading what agents tell each other about a conversation."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from conversations.models import Note

BODY_LIMIT = 2000


def write(conversation_id: int, *, agent_id: int, body: str, at: datetime) -> Note:
    """Leave a note; the caller has checked that the agent may, and that there is something in it,
    ``BODY_LIMIT`` characters at most."""
    return Note.objects.create(
        conversation_id=conversation_id, agent_id=agent_id, body=body, created_at=at
    )


def of(conversation_id: int) -> QuerySet[Note]:
    """The notes of a conversation, oldest first, with who wrote them."""
    return Note.objects.filter(conversation=conversation_id).select_related("agent")
