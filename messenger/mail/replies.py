"""Replies by e-mail become messages (B9), if everything about them is right.

The recipient address is signed for one conversation, and the e-mail must come from the address that
its visitor left. Refused or ignored e-mails are recorded and never answered: an answer would go to
the person who was impersonated. An e-mail that its visitor did send is stored as it came, whatever
became of it (B29).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.utils.translation import gettext_noop

from conversations.messages import inbound_emails, sending
from conversations.messages.inbound_emails import Original
from conversations.models import Address, Author, Conversation, InboundEmail
from core.db.retry import retried
from core.rejection import Rejected
from messenger.mail.headers import normalized
from messenger.mail.parsing import Incoming, parse
from messenger.mail.pending_mails import schedule_closing_mail
from messenger.mail.pieces import pieces_of
from messenger.mail.reply_addresses import conversation_of
from messenger.models import Reply, ReplyOutcome

logger = logging.getLogger(__name__)

HOURLY = 30
"""The limit of e-mails an hour and conversation, which ends a loop of undeclared machines."""

RECIPIENTS = 20

NOT_OURS = gettext_noop("unknown reply address")
NOT_THEIRS = gettext_noop("not from the visitor's address")
BEFORE = gettext_noop("already delivered")
MACHINE = gettext_noop("automatic message")
TOO_MANY = gettext_noop("too many e-mails in one hour")
WORDLESS = gettext_noop("no text besides the quotation")

# The message path's refusals, as the administration shows them.
REFUSALS = {
    "blocked": gettext_noop("the visitor is blocked"),
    "consent": gettext_noop("the visitor has withdrawn consent"),
    "conflict": BEFORE,
}
REFUSED = gettext_noop("the conversation no longer accepts messages")


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One e-mail at one address, and its time."""

    raw: bytes
    incoming: Incoming
    conversation: Conversation
    at: datetime


def take(
    raw: bytes, recipients: Sequence[str], *, at: datetime, sender: str | None = None
) -> list[ReplyOutcome]:
    """Take an e-mail in; return the outcome for each address it was delivered to. Safe to repeat.

    ``sender`` is that of the envelope; an empty one accepts no replies, so a machine wrote it.
    """
    # Parsed once for all recipients.
    incoming = parse(raw, is_bounce=sender is not None and sender.strip() in {"", "<>"})
    return [_take(raw, incoming, one, at=at) for one in recipients[:RECIPIENTS]]


def _take(raw: bytes, incoming: Incoming, recipient: str, *, at: datetime) -> ReplyOutcome:
    public_id = conversation_of(recipient)
    signed = Conversation.objects.select_related("visitor__address", "website__sender")
    conversation = signed.filter(public_id=public_id).first() if public_id else None
    if conversation is None:
        return _note(None, incoming, ReplyOutcome.REFUSED, NOT_OURS, at=at)
    address = getattr(conversation.visitor, "address", None)
    if address is None or incoming.senders != (normalized(address.email),):
        is_machine = incoming.is_automatic
        outcome = ReplyOutcome.IGNORED if is_machine else ReplyOutcome.REFUSED
        reason = MACHINE if is_machine else NOT_THEIRS
        return _note(conversation, incoming, outcome, reason, at=at)
    if reason := _surplus(incoming, conversation, at=at):
        return _note(conversation, incoming, ReplyOutcome.IGNORED, reason, at=at)
    return _keep(_Arrival(raw, incoming, conversation, at), address)


def _surplus(incoming: Incoming, conversation: Conversation, *, at: datetime) -> str:
    """Return why the right person's e-mail is not even stored; empty if it is."""
    known = Reply.objects.filter(conversation=conversation)
    counted = known.filter(outcome__in=[ReplyOutcome.ACCEPTED, ReplyOutcome.CLOSED])
    if counted.filter(message_id=incoming.message_id).exists():
        return BEFORE
    lately = known.filter(received_at__gt=at - timedelta(hours=1))
    return TOO_MANY if lately.count() >= HOURLY else ""


def _keep(arrival: _Arrival, address: Address) -> ReplyOutcome:
    """Store the e-mail as it came, and its outcome; leave nothing behind on failure."""
    conversation, incoming, at = arrival.conversation, arrival.incoming, arrival.at
    file = inbound_emails.store(arrival.raw, website_id=conversation.website_id)
    is_recorded = False
    try:
        outcome = _add(arrival, address, file=file)
        is_recorded = True
    # The same e-mail came twice at once, and the other one is stored.
    except IntegrityError:
        outcome = _note(conversation, incoming, ReplyOutcome.IGNORED, BEFORE, at=at)
    except Rejected as rejected:
        reason = REFUSALS.get(rejected.code, REFUSED)
        outcome = _note(conversation, incoming, ReplyOutcome.REFUSED, reason, at=at)
    finally:
        if not is_recorded:
            inbound_emails.discard(file)
    return outcome


@retried
def _add(arrival: _Arrival, address: Address, *, file: str) -> ReplyOutcome:
    """Store the words as the visitor's messages; a reply wakes a paused conversation (R113, C2)."""
    incoming, at = arrival.incoming, arrival.at
    locked = Conversation.objects.select_for_update(no_key=True, of=("self",))
    locked = locked.select_related("visitor__address", "website__sender")
    conversation = locked.get(pk=arrival.conversation.pk)
    outcome, reason, seq, pk = ReplyOutcome.ACCEPTED, "", None, uuid.uuid4()
    pieces = [] if incoming.is_automatic else pieces_of(incoming, conversation)
    if incoming.is_automatic:
        outcome, reason = ReplyOutcome.IGNORED, MACHINE
    elif not pieces:
        outcome, reason = ReplyOutcome.IGNORED, WORDLESS
    elif conversation.closed_at is not None:
        outcome = ReplyOutcome.CLOSED
        if schedule_closing_mail(conversation, address, at=at) is None:
            reason = gettext_noop("instructions to come back already sent that day")
    else:
        seq = _store(conversation, pieces, incoming.message_id, email=pk, at=at)
    email = inbound_emails.record(
        conversation,
        Original(
            sender=", ".join(incoming.senders),
            subject=incoming.subject,
            text=incoming.text,
            file_names=[one.name or one.kind for one in incoming.files],
        ),
        pk=pk,
        seq=seq,
        file=file,
        size=len(arrival.raw),
        at=at,
    )
    return _note(conversation, incoming, outcome, reason, at=at, email=email)


def _store(
    conversation: Conversation,
    pieces: Sequence[str],
    message_id: str,
    *,
    email: uuid.UUID,
    at: datetime,
) -> int:
    """Add the pieces as messages; return the seq of the first, which carries the e-mail."""
    numbers = []
    for number, body in enumerate(pieces):
        sent = sending.add(
            conversation.pk,
            author=Author.VISITOR,
            body=body,
            # The same for the same e-mail, so that a second delivery adds no message.
            client_id=uuid.uuid5(conversation.public_id, f"{message_id} {number}"),
            at=at,
            email=None if number else email,
        )
        numbers.append(int(sent.frame["seq"]))
    return numbers[0]


def forget_strays(*, before: datetime) -> int:
    """Delete the notes of mails that belong to no conversation, and so to no visitor whose erasure
    or retention would delete them; return how many."""
    return Reply.objects.filter(conversation=None, received_at__lt=before).delete()[0]


def _note(
    conversation: Conversation | None,
    incoming: Incoming,
    outcome: ReplyOutcome,
    reason: str,
    *,
    at: datetime,
    email: InboundEmail | None = None,
) -> ReplyOutcome:
    Reply.objects.create(
        conversation=conversation,
        message_id=incoming.message_id,
        sender=", ".join(incoming.senders)[:320],
        outcome=outcome,
        reason=reason,
        email=email,
        received_at=at,
    )
    if outcome in {ReplyOutcome.REFUSED, ReplyOutcome.IGNORED}:
        number = conversation.pk if conversation else None
        logger.warning("a mail for conversation %s was %s: %s", number, outcome.value, reason)
    return outcome
