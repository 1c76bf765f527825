"""Until when one may write to a person by a channel that closes some time after their words."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from conversations.inboxes import kinds
from conversations.models import Conversation, InboundMessage


def closes_at(conversation: Conversation) -> datetime | None:
    """Return when the channel closes for free text; ``None`` if it never does.

    It counts from when the person's last message was sent, by the provider's clock: one that waited
    for room opens nothing for longer.
    """
    if conversation.inbox is None:
        return None
    window = kinds.of(conversation.inbox.kind).limits.reply_window
    if window is None:
        return None
    came = InboundMessage.objects.filter(conversation=conversation)
    last = came.aggregate(last=Max("sent_at"))["last"]
    return (last or conversation.opened_at) + window
