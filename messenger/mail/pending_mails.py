"""Pending e-mails: rows say when to check, the check decides, and an e-mail is recorded.

An agent's message sets ``Conversation.notify_at`` in its own statement, so nothing can be lost
between the message and the e-mail. A visitor who reads costs nothing: the check finds nothing
unread.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext_noop

from conversations.models import Address, Author, CloseReason, Conversation, Message
from conversations.visitors import persons, visitor_presence
from core.db.retry import retried
from messenger.mail import addresses
from messenger.mail.decisions import MailDelays, Unread, next_look
from messenger.models import Mail, MailKind, MailStatus

logger = logging.getLogger(__name__)

A_DAY = timedelta(days=1)


def mail_delays() -> MailDelays:
    return MailDelays(
        delay=timedelta(seconds=settings.MAIL_DELAY_SECONDS),
        interval=timedelta(seconds=settings.MAIL_INTERVAL_SECONDS),
    )


def look(*, at: datetime, limit: int = 500) -> int:
    """Check every conversation whose time has come; return how many e-mails are newly owed."""
    due = Conversation.objects.filter(notify_at__lte=at).order_by("notify_at")
    rows = list(due.values_list("pk", "visitor_id")[:limit])
    # Once for all of them: a round trip for each would slow the run down.
    on_site = visitor_presence.online({visitor_id for _number, visitor_id in rows})
    written = 0
    for conversation_id, visitor_id in rows:
        try:
            written += _look_at(conversation_id, is_on_site=visitor_id in on_site, at=at)
        except Exception:
            # A row that fails must not block the others.
            logger.exception(
                "conversation %s: could not decide whether to send an e-mail", conversation_id
            )
    return written


@retried
def _look_at(conversation_id: int, *, is_on_site: bool, at: datetime) -> bool:
    """Decide for one conversation under its lock; skip it if it is locked."""
    conversation = (
        Conversation.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .select_related("website__sender", "visitor")
        .filter(pk=conversation_id, notify_at__lte=at)
        .first()
    )
    if conversation is None:
        return False
    address = Address.objects.filter(visitor=conversation.visitor_id).first()
    mailed_up_to, last_mail_at = _mailed(conversation)
    from_seq = max(conversation.visitor_read_seq, mailed_up_to)
    unread = _news(conversation, from_seq).aggregate(
        count=Count("pk"), last_at=Max("created_at"), to_seq=Max("seq")
    )
    next_at = None
    if address is not None and _may_write(conversation, address):
        standing = Unread(
            count=unread["count"],
            last_at=unread["last_at"],
            is_on_site=is_on_site,
            last_mail_at=last_mail_at,
        )
        next_at = next_look(standing, mail_delays(), at=at)
    is_due = next_at is not None and next_at <= at
    if is_due and address is not None:
        Mail.objects.create(
            conversation=conversation,
            kind=MailKind.ANSWER,
            to=address.email,
            from_seq=from_seq,
            to_seq=unread["to_seq"],
            created_at=at,
            due_at=at,
        )
    conversation.notify_at = None if is_due else next_at
    conversation.save(update_fields=["notify_at"])
    return is_due


def _news(conversation: Conversation, from_seq: int) -> QuerySet[Message]:
    """Return the agents' messages after ``from_seq`` that the visitor has not hidden (C13)."""
    answers = conversation.messages.filter(author=Author.AGENT, seq__gt=from_seq)
    return persons.unhidden(answers, conversation.visitor)


def _mailed(conversation: Conversation) -> tuple[int, datetime | None]:
    """Return up to which message, and when last, the visitor was notified."""
    mails = Mail.objects.filter(conversation=conversation, kind=MailKind.ANSWER)
    last = mails.exclude(status=MailStatus.CANCELLED).order_by("to_seq").last()
    return (last.to_seq, last.created_at) if last else (0, None)


def _may_write(conversation: Conversation, address: Address) -> bool:
    return (
        address.wants_mail
        and conversation.visitor.withdrawn_at is None
        and conversation.close_reason != CloseReason.BLOCKED
        and addresses.is_on(conversation.website)
    )


@transaction.atomic
def schedule_closing_mail(
    conversation: Conversation, address: Address, *, at: datetime
) -> Mail | None:
    """Schedule the e-mail that says how to come back, after a reply to a closed conversation (B9).

    ``None`` if one was sent within a day: two machines would go on for ever.
    """
    recent = conversation.mails.filter(kind=MailKind.CLOSED, created_at__gt=at - A_DAY)
    if recent.exists():
        return None
    return Mail.objects.create(
        conversation=conversation,
        kind=MailKind.CLOSED,
        to=address.email,
        from_seq=conversation.last_seq,
        to_seq=conversation.last_seq,
        created_at=at,
        due_at=at,
    )


def why_not(mail: Mail) -> str:
    """Return why an owed e-mail is no longer sent; empty if it is."""
    conversation = mail.conversation
    address = Address.objects.filter(visitor=conversation.visitor_id).first()
    if address is None or address.email != mail.to:
        return gettext_noop("the visitor has deleted or changed the address")
    if not address.wants_mail:
        return gettext_noop("the visitor has switched notifications off")
    if not _may_write(conversation, address):
        return gettext_noop("this website does not write to this visitor")
    if mail.kind == MailKind.ANSWER and conversation.visitor_read_seq >= mail.to_seq:
        return gettext_noop("the visitor has read the messages meanwhile")
    news = _news(conversation, mail.from_seq).filter(seq__lte=mail.to_seq)
    if mail.kind == MailKind.ANSWER and not news.exists():
        return gettext_noop("the visitor has hidden the messages meanwhile")
    return ""
