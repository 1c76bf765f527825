"""What providers say of the messages that were sent: accepted, delivered, read, refused."""

from __future__ import annotations

import uuid
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
    row = _row_of(inbox, receipt)
    if row is None or not is_progress(row.status, receipt.status):
        return False
    row.status, row.reason, row.changed_at = receipt.status, receipt.reason[:300], at
    row.provider_id, row.leased_until = receipt.provider_id[:300], None
    row.save(update_fields=["status", "reason", "changed_at", "provider_id", "leased_until"])
    announce(row)
    if row.status == OutboundStatus.READ:
        _read(row)
    return True


def _row_of(inbox: Inbox, receipt: Receipt) -> OutboundMessage | None:
    """Return the message that a receipt is about, locked. A receipt can be faster than the answer
    that names its id, or that answer was lost: then our own reference tells."""
    mine = OutboundMessage.objects.select_for_update(no_key=True, of=("self",)).filter(inbox=inbox)
    named = mine.filter(provider_id=receipt.provider_id[:300]).exclude(provider_id="")
    if (row := named.first()) is not None:
        return row
    # Without an id yet: a row that has one is about another message of the provider.
    number, _slash, client_id = receipt.reference.partition("/")
    try:
        ours = mine.filter(conversation=int(number), message__client_id=uuid.UUID(client_id))
    except ValueError:
        return None
    return ours.filter(provider_id="").first()


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
