"""Messages that programs write into a conversation, and the author that they write as."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Role, User
from conversations.lifecycle import verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.messages.rich_content import RichContent
from conversations.messages.sending import Sent
from conversations.models import Author, Conversation
from core.rejection import Rejected


@transaction.atomic
def send(
    conversation_id: int,
    *,
    user: User,
    body: str,
    offer: RichContent | None,
    client_id: uuid.UUID,
    at: datetime,
    attachment: uuid.UUID | None = None,
) -> Sent:
    """Send text, a file and rich content as the agent or the bot that holds the conversation."""
    author = _author(verbs.lock(conversation_id), user)
    return sending.add(
        conversation_id,
        author=author,
        body=body,
        client_id=client_id,
        at=at,
        offer=offer,
        attachment=attachment,
    )


def _author(conversation: Conversation, user: User) -> Author:
    """Return the author; administrators write as the bot while it holds the conversation (R38)."""
    if conversation.status == Status.BOT and user.role == Role.ADMIN:
        return Author.BOT
    holder = conversation.agent
    if conversation.status == Status.ACTIVE and holder is not None and holder.user_id == user.pk:
        return Author.AGENT
    raise Rejected(
        "not_on_desk", _("This conversation is not on your desk. Nothing was sent."), 409
    )
