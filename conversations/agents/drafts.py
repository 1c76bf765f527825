"""What agents have begun to write: kept on the server, so that another device goes on with it."""

from __future__ import annotations

from datetime import datetime

from conversations.models import Conversation, Draft
from core.text.cleaning import REPLACEMENT, clean

LIMIT = 20_000  # Longer than a message may be: what is too long to send is not lost.


def of(agent_id: int | None, conversation_id: int) -> str:
    """What this agent has begun to write here, or nothing."""
    if agent_id is None:
        return ""
    mine = Draft.objects.filter(agent=agent_id, conversation=conversation_id)
    return mine.values_list("body", flat=True).first() or ""


def left_behind(agent_id: int | None, conversation: Conversation) -> Draft | None:
    """What a colleague had begun when the conversation left their desk: whoever goes on with it may
    use it (C72). Once an agent has written since, it is nobody's business any more."""
    others = Draft.objects.filter(conversation=conversation).exclude(agent=agent_id)
    if conversation.last_agent_message_at is not None:
        others = others.filter(saved_at__gt=conversation.last_agent_message_at)
    return others.select_related("agent").order_by("-saved_at").first()


def keep(agent_id: int, conversation_id: int, body: str, *, at: datetime) -> None:
    """The last writer wins; an empty text is none."""
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
    """Delete what was last written ``before``; returns how many drafts that were."""
    return Draft.objects.filter(saved_at__lt=before).delete()[0]
