"""Answers by e-mail become messages (B9), if everything about them is right.

The address that a mail came to is signed for one conversation, and the mail must come from the
address that its visitor left. What is refused or ignored is written down and never answered: an
answer would go to whoever was impersonated.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.utils import translation
from django.utils.translation import gettext_noop, ngettext

from conversations import messages
from conversations.checks import BODY_LIMIT, check_body
from conversations.models import Address, Author, Conversation
from conversations.refusals import Rejected
from conversations.transactions import retried
from messenger.mail.owing import owe_way_back
from messenger.mail.parsing import Incoming, parse
from messenger.mail.reply_addresses import conversation_of
from messenger.models import Outcome, Reply
from messenger.texts import language_among

logger = logging.getLogger(__name__)

PARTS = 5
HOURLY = 30
"""So many mails an hour and conversation: a loop of machines that do not say so ends here."""

RECIPIENTS = 20


def take(raw: bytes, recipients: Sequence[str], *, at: datetime) -> list[Outcome]:
    """What became of a mail, for each of the addresses it was delivered to. Safe to repeat."""
    incoming = parse(raw)
    return [_take(incoming, recipient, at=at) for recipient in recipients[:RECIPIENTS]]


def _take(incoming: Incoming, recipient: str, *, at: datetime) -> Outcome:
    public_id = conversation_of(recipient)
    signed = Conversation.objects.select_related("visitor__address", "website")
    conversation = signed.filter(public_id=public_id).first() if public_id else None
    if conversation is None:
        return _note(
            None, incoming, Outcome.REFUSED, gettext_noop("not an address that we signed"), at=at
        )
    address = getattr(conversation.visitor, "address", None)
    outcome, reason = _judge(incoming, conversation, address, at=at)
    if outcome is not Outcome.ACCEPTED or address is None:
        return _note(conversation, incoming, outcome, reason, at=at)
    try:
        return _add(conversation, address, incoming, at=at)
    except IntegrityError:
        return _note(
            conversation, incoming, Outcome.IGNORED, gettext_noop("delivered before"), at=at
        )


def _judge(
    incoming: Incoming, conversation: Conversation, address: Address | None, *, at: datetime
) -> tuple[Outcome, str]:
    counted = [Outcome.ACCEPTED, Outcome.CLOSED]
    done = Reply.objects.filter(conversation=conversation, outcome__in=counted)
    if incoming.is_automatic:
        return Outcome.IGNORED, gettext_noop("written by a machine")
    if address is None or incoming.senders != (address.email.lower(),):
        return Outcome.REFUSED, gettext_noop("not from the visitor's address")
    if done.filter(message_id=incoming.message_id).exists():
        return Outcome.IGNORED, gettext_noop("delivered before")
    if done.filter(received_at__gt=at - timedelta(hours=1)).count() >= HOURLY:
        return Outcome.IGNORED, gettext_noop("too many in an hour")
    if not incoming.body and not incoming.attachments:
        return Outcome.IGNORED, gettext_noop("no words of its own")
    return Outcome.ACCEPTED, ""


@retried
def _add(
    conversation: Conversation, address: Address, incoming: Incoming, *, at: datetime
) -> Outcome:
    """Store the words as the visitor's messages; a reply wakes what sleeps (R113, C2)."""
    outcome = Outcome.ACCEPTED
    locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    if locked.closed_at is not None:
        outcome = Outcome.CLOSED
        owe_way_back(locked, address, at=at)
    else:
        for number, body in enumerate(_bodies(incoming, conversation)):
            messages.add(
                conversation.pk,
                author=Author.VISITOR,
                body=body,
                client_id=uuid.uuid5(conversation.public_id, f"{incoming.message_id} {number}"),
                at=at,
            )
    return _note(conversation, incoming, outcome, "", at=at)


def _bodies(incoming: Incoming, conversation: Conversation) -> list[str]:
    """The words in pieces that a message can hold, and a line for what could not be taken over."""
    parts = split(incoming.body)
    if incoming.attachments:
        language = language_among(conversation.language, conversation.website.language)
        with translation.override(language):
            left = ngettext(
                "[%(n)d file came with this e-mail and was not taken over]",
                "[%(n)d files came with this e-mail and were not taken over]",
                incoming.attachments,
            )
        parts.append(left % {"n": incoming.attachments})
    return parts


def split(text: str) -> list[str]:
    """``text`` as messages of at most ``BODY_LIMIT`` characters, cut where a line ends if one does.

    What is more than ``PARTS`` messages long is cut off.
    """
    parts: list[str] = []
    rest = text
    while rest and len(parts) < PARTS:
        piece = rest[:BODY_LIMIT]
        if len(rest) > BODY_LIMIT:
            end = max(piece.rfind("\n"), piece.rfind(" "))
            piece = piece[:end] if end > BODY_LIMIT // 2 else piece
        rest = rest[len(piece) :].lstrip()
        try:
            parts.append(check_body(piece))
        except Rejected:
            continue  # Nothing that can be read in this piece.
    return parts


def _note(
    conversation: Conversation | None,
    incoming: Incoming,
    outcome: Outcome,
    reason: str,
    *,
    at: datetime,
) -> Outcome:
    Reply.objects.create(
        conversation=conversation,
        message_id=incoming.message_id,
        sender=", ".join(incoming.senders).replace("\x00", "")[:320],
        outcome=outcome,
        reason=reason,
        received_at=at,
    )
    if outcome in {Outcome.REFUSED, Outcome.IGNORED}:
        number = conversation.pk if conversation else None
        logger.warning("a mail for conversation %s was %s: %s", number, outcome.value, reason)
    return outcome
