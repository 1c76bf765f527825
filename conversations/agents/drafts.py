"""Agents' drafts, stored on the server so that they can continue on another device."""

from __future__ import annotations

from datetime import datetime

from conversations.models import Conversation, Draft
from core.text.cleaning import REPLACEMENT, clean

LIMIT = 20_000  # Longer than a message, so that a text that is too long to send is not lost.


def of(agent_id: int | None, conversation_id: int) -> str:
    """Return the agent's draft in this conversation, or ""."""
    if agent_id is None:
        return ""
    mine = Draft.objects.filter(agent=agent_id, conversation=conversation_id)
    return mine.values_list("body", flat=True).first() or ""


def left_behind(agent_id: int | None, conversation: Conversation) -> Draft | None:
    """Return the draft that a colleague left when the conversation left their desk, for the next
    agent to use (C72). It is no longer offered once an agent has written."""
    others = Draft.objects.filter(conversation=conversation).exclude(agent=agent_id)
    if conversation.last_agent_message_at is not None:
        others = others.filter(saved_at__gt=conversation.last_agent_message_at)
    return others.select_related("agent").order_by("-saved_at").first()


def save(agent_id: int, conversation_id: int, body: str, *, at: datetime) -> None:
    """Save a draft; the last write wins. An empty text deletes it."""
    body = clean(body).replace(REPLACEMENT, "")[:LIMIT]
    if not body.strip():
        Draft.objects.filter(agent=agent_id, conversation=conversation_id).delete()
        return
    Draft.objects.update_or_create(
        agent_id=agent_id,
        conversation_id=conversation_id,
        defaults={"body": body, "saved_at": at},
    )


def forget(*, before: datetime) -> int:
    """Delete drafts last saved ``before``; return how many."""
    return Draft.objects.filter(saved_at__lt=before).delete()[0]
