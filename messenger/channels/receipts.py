"""What providers say of the messages that were sent: accepted, delivered, read, refused."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from conversations.facts import DeliveryChanged, MessagesRead
from conversations.models import Conversation, Inbox, OutboundMessage, OutboundStatus
from core.events import bus
from messenger.channels.connector import Receipt

ORDER = [OutboundStatus.OWED, OutboundStatus.SENT, OutboundStatus.DELIVERED, OutboundStatus.READ]


def is_progress(before: str, after: str) -> bool:
    """Return whether ``after`` says more than ``before``. Receipts come late, twice and in any
    order; what was delivered or read has not failed."""
    if after not in OutboundStatus.values or before == OutboundStatus.FAILED:
        return False
    if after == OutboundStatus.FAILED:
        return before in {OutboundStatus.OWED, OutboundStatus.SENT}
    return ORDER.index(OutboundStatus(after)) > ORDER.index(OutboundStatus(before))


@transaction.atomic
def record(inbox: Inbox, receipt: Receipt, *, at: datetime) -> bool:
    """Record a receipt; return whether it said something new. One about a message that is not ours
    is ignored."""
    rows = OutboundMessage.objects.select_for_update(no_key=True).filter(
        inbox=inbox, provider_id=receipt.provider_id[:300]
    )
    # "" is the id of all messages that have not been sent.
    row = rows.exclude(provider_id="").first()
    if row is None or not is_progress(row.status, receipt.status):
        return False
    row.status, row.reason, row.changed_at = receipt.status, receipt.reason[:300], at
    row.save(update_fields=["status", "reason", "changed_at"])
    announce(row)
    if row.status == OutboundStatus.READ:
        _read(row)
    return True


def announce(row: OutboundMessage) -> None:
    """Publish the state of a delivery, in the transaction that changed it."""
    holder = Conversation.objects.values_list("agent_id", flat=True).get(pk=row.conversation_id)
    bus.publish(
        DeliveryChanged(
            conversation_id=row.conversation_id,
            agent_id=holder,
            seq=row.seq,
            status=row.status,
            reason=row.reason,
        )
    )


def _read(row: OutboundMessage) -> None:
    """Mark the conversation as read up to this message, as a Messenger does."""
    unread = Conversation.objects.filter(pk=row.conversation_id, visitor_read_seq__lt=row.seq)
    if not unread.update(visitor_read_seq=row.seq):
        return
    conversation = Conversation.objects.get(pk=row.conversation_id)
    bus.publish(
        MessagesRead(
            conversation_id=conversation.pk,
            public_id=str(conversation.public_id),
            visitor_id=conversation.visitor_id,
            agent_id=conversation.agent_id,
            by="visitor",
            seq=row.seq,
        )
    )
