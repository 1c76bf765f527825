"""What leaves by inboxes: each answer becomes a row, sent in the order of its conversation.

The statement that stores an answer owes ``send`` in the same transaction, so a crash loses nothing.
No provider of messages does exactly once: if a process dies between the provider's answer and its
record, the message is sent once more, with the same id for providers that recognize it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from conversations.messages.rich_content import as_text
from conversations.models import (
    Author,
    Conversation,
    Inbox,
    Message,
    OutboundMessage,
    OutboundStatus,
)
from core import encryption
from messenger.channels import receipts, registry
from messenger.channels.connector import (
    Disconnected,
    Later,
    Outgoing,
    OutgoingFile,
    Undeliverable,
)
from messenger.channels.sweeps import sweep

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than a worker may take: settings.CELERY_TASK_TIME_LIMIT
GIVE_UP_AFTER = timedelta(hours=24)
LONGEST_WAIT = timedelta(hours=1)
TOO_LATE = gettext_noop("The channel did not accept it for 24 hours.")
NOT_INSTALLED = gettext_noop("The channel is no longer installed.")
NO_ADDRESS = gettext_noop("The address of this person is no longer known.")


def send(*, conversation_id: int) -> None:
    """Reaction: send what a conversation owes by its inbox, in order, as far as possible now."""
    owe(conversation_id, at=timezone.now())
    while _send_next(conversation_id):
        pass


def send_due() -> int:
    """Send what is due, for at most half a minute; return how many conversations had something.
    The sweep behind the reaction, and what retries."""
    owed = OutboundMessage.objects.filter(
        status=OutboundStatus.OWED, due_at__lte=timezone.now(), inbox__is_active=True
    )
    due = owed.order_by("conversation").values_list("conversation", flat=True).distinct()
    return sweep(
        list(due),
        lambda one: send(conversation_id=one),
        failure="could not send what conversation %s owes",
    )


def owe(conversation_id: int, *, at: datetime) -> None:
    """Make a row of each message that has none yet. Two workers may do so at the same time."""
    rows = Message.objects.filter(conversation=conversation_id, outbound=None)
    rows = rows.exclude(author=Author.VISITOR).order_by("seq")
    inbox_id = Conversation.objects.get(pk=conversation_id).inbox_id
    if inbox_id is None:
        return
    OutboundMessage.objects.bulk_create(
        [
            OutboundMessage(
                message_id=pk,
                conversation_id=conversation_id,
                inbox_id=inbox_id,
                seq=seq,
                created_at=at,
                due_at=at,
            )
            for pk, seq in rows.values_list("pk", "seq")
        ],
        ignore_conflicts=True,
    )


def _send_next(conversation_id: int) -> bool:
    """Send the next message of a conversation; return whether another may follow."""
    at = timezone.now()
    row = _claim(conversation_id, at=at)
    if row is None:
        return False
    try:
        provider_id = _sent(row)
    except Disconnected as error:
        Inbox.objects.filter(pk=row.inbox_id).update(trouble=str(error)[:300])
        return _put_off(row, error)
    except Later as error:
        return _put_off(row, error)
    except Undeliverable as error:
        logger.warning("message %s was refused by its channel: %s", row, error)
        _end(row, OutboundStatus.FAILED, reason=str(error))
        return True
    Inbox.objects.filter(pk=row.inbox_id).exclude(trouble="").update(trouble="")
    _end(row, OutboundStatus.SENT, provider_id=provider_id)
    return True


@transaction.atomic
def _claim(conversation_id: int, *, at: datetime) -> OutboundMessage | None:
    """Return the first owed message of a conversation if it is due and no other worker has it."""
    earlier = OutboundMessage.objects.filter(
        conversation=OuterRef("conversation"), status=OutboundStatus.OWED, seq__lt=OuterRef("seq")
    )
    rows = OutboundMessage.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    row = (
        rows.filter(
            Q(leased_until=None) | Q(leased_until__lte=at),
            ~Exists(earlier),
            conversation=conversation_id,
            status=OutboundStatus.OWED,
            due_at__lte=at,
            inbox__is_active=True,
        )
        .select_related("inbox", "message__attachment", "conversation")
        .first()
    )
    if row is not None:
        # The column of the attempts is a small integer.
        row.leased_until, row.attempts = at + LEASE, min(row.attempts + 1, 30_000)
        row.save(update_fields=["leased_until", "attempts"])
    return row


def _sent(row: OutboundMessage) -> str:
    """Hand a message to the provider; return its id there."""
    connector = registry.of(row.inbox.kind)
    if connector is None:
        raise Undeliverable(NOT_INSTALLED)
    correspondent = row.inbox.correspondents.filter(visitor=row.conversation.visitor_id).first()
    if correspondent is None:
        raise Undeliverable(NO_ADDRESS)
    message, file = row.message, None
    if message.attachment is not None:
        with default_storage.open(message.attachment.file) as stored:
            file = OutgoingFile(
                message.attachment.name, message.attachment.content_type, stored.read()
            )
    offer = message.offer or {}
    outgoing = Outgoing(
        id=message.client_id,
        address=correspondent.address,
        text=message.body,
        choices=offer.get("choices", ()),
        question=as_text(offer | {"choices": []}) if offer else "",
        template=offer.get("template"),
        file=file,
        conversation_id=row.conversation_id,
    )
    try:
        # What a connector adds of its own, the person reads: "Jeanne wrote:".
        with translation.override(row.conversation.language):
            return connector.send(row.inbox, outgoing)
    except encryption.Unreadable:
        raise Disconnected(gettext_noop("The stored token can no longer be read.")) from None


def _put_off(row: OutboundMessage, error: Later) -> bool:
    """Try again later: when the provider says, or after 2, 4, 8 ... s; give up after a day."""
    at = timezone.now()
    if at - row.created_at >= GIVE_UP_AFTER:
        _end(row, OutboundStatus.FAILED, reason=TOO_LATE)
        return True
    wait = timedelta(seconds=error.seconds) or min(
        timedelta(seconds=2 ** min(row.attempts, 12)), LONGEST_WAIT
    )
    owed = OutboundMessage.objects.filter(pk=row.pk, status=OutboundStatus.OWED)
    owed.update(due_at=at + wait, leased_until=None, reason=str(error)[:300])
    return False


@transaction.atomic
def _end(
    row: OutboundMessage, status: OutboundStatus, *, provider_id: str = "", reason: str = ""
) -> None:
    """Record the end of an attempt, unless a receipt that was faster has said more."""
    locked = OutboundMessage.objects.select_for_update(no_key=True).get(pk=row.pk)
    # A receipt may arrive before the answer to the call has been recorded.
    if locked.status != OutboundStatus.OWED:
        return
    locked.status, locked.reason, locked.leased_until = status, reason[:300], None
    locked.provider_id, locked.changed_at = provider_id[:300], timezone.now()
    locked.save()
    receipts.announce(locked)
