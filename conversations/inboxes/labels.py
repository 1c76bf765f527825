"""By which channel a conversation is held, in words and as an icon."""

from __future__ import annotations

from accounts.models import Channel
from conversations.inboxes import kinds
from conversations.models import Conversation

ICONS = {
    Channel.CHAT: "message-circle",
    Channel.MESSAGING: "messages-square",
    Channel.CALL: "phone",
    Channel.VIDEO: "video",
}


def channel_label(conversation: Conversation) -> str:
    """Return such as "Telegram" for a conversation of an inbox, otherwise the channel's name."""
    if conversation.inbox is None:
        return conversation.get_channel_display()
    return str(kinds.of(conversation.inbox.kind).label)


def channel_icon(conversation: Conversation) -> str:
    """Return the icon of the sprite."""
    if conversation.inbox is None:
        return ICONS[Channel(conversation.channel)]
    return kinds.of(conversation.inbox.kind).icon
