"""Where an e-mail that arrives goes: to the conversation that its address is signed for, or to the
inbox whose address it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from messenger.channels.email import intake
from messenger.mail import replies
from messenger.mail.reply_addresses import conversation_of


def is_ours(address: str) -> bool:
    return conversation_of(address) is not None or intake.inbox_of(address) is not None


def take(raw: bytes, recipients: Sequence[str], *, at: datetime, sender: str | None = None) -> None:
    """Take an e-mail in at each of its recipients. Safe to repeat."""
    signed = []
    for recipient in recipients[: replies.RECIPIENTS]:
        # A signed address is a reply, even if its mailbox is an inbox, too.
        inbox = None if conversation_of(recipient) else intake.inbox_of(recipient)
        if inbox is None:
            signed.append(recipient)
        else:
            intake.take(raw, inbox, at=at, sender=sender)
    if signed:
        replies.take(raw, signed, at=at, sender=sender)
