"""Delivery of owed e-mails: claimed under a lock that one worker gets, each attempt recorded.

SMTP cannot do exactly once. An attempt is recorded before the mail server is contacted, and ended
after it has answered. If the process dies in between, the attempt has no end and the e-mail is sent
once more, with the same Message-ID, by which mail programs recognize the duplicate. There is no
third time.
"""

from __future__ import annotations

import logging
import smtplib
import time
from contextlib import suppress
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from conversations.models import Address
from messenger.mail.compose import Composed
from messenger.mail.decisions import retry_at
from messenger.mail.pending_mails import why_not
from messenger.models import Attempt, Mail, MailStatus

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)  # longer than a worker may take: settings.CELERY_TASK_TIME_LIMIT
RUN_SECONDS = 30
UNENDED = 2


class Unreachable(Exception):
    """The mail server cannot be reached, or refuses the login: no e-mail would fare better."""


def send_due(*, at: datetime) -> int:
    """Send what is due, for at most half a minute; return how many were accepted."""
    begun = time.monotonic()
    server = get_connection()
    sent = 0
    try:
        while time.monotonic() - begun < RUN_SECONDS:
            claimed = _claim(at=at)
            if claimed is None:
                break
            sent += _handle(*claimed, server=server, at=at)
    except Unreachable:
        logger.warning("mail server unreachable, retrying pending e-mails later")
    finally:
        _hang_up(server)
    return sent


@transaction.atomic
def _claim(*, at: datetime) -> tuple[Mail, Attempt] | None:
    """Return the e-mail to send now, and the attempt, recorded before anything is sent."""
    is_free = Q(leased_until=None) | Q(leased_until__lte=at)
    mail = (
        Mail.objects.filter(is_free, status=MailStatus.OWED, due_at__lte=at)
        .select_related("conversation__website__sender", "conversation__visitor")
        .select_for_update(of=["self"], skip_locked=True)  # Other workers hold the locked ones.
        .order_by("due_at")
        .first()
    )
    if mail is None:
        return None
    mail.leased_until = at + LEASE
    mail.save(update_fields=["leased_until"])
    return mail, Attempt.objects.create(mail=mail, begun_at=at)


def _handle(mail: Mail, attempt: Attempt, *, server: BaseEmailBackend, at: datetime) -> bool:
    if mail.attempts.filter(ended_at=None).exclude(pk=attempt.pk).count() >= UNENDED:
        attempt.delete()
        _end(mail, MailStatus.FAILED, gettext_noop("two workers died while sending it"), at=at)
        logger.error("gave up on mail %s, which may have been sent", mail.public_id)
        return False
    if reason := why_not(mail):
        attempt.delete()
        _end(mail, MailStatus.CANCELLED, reason, at=at)
        return False
    try:
        server.open()
        message = _composed(mail)
        mail.conversation.refresh_from_db(fields=["visitor_read_seq", "close_reason"])
        if reason := why_not(mail):  # decided while it was being composed
            attempt.delete()
            _end(mail, MailStatus.CANCELLED, reason, at=at)
            return False
        server.send_messages([message])
    except Exception as error:
        _hang_up(server)
        _failed(mail, attempt, error, at=at)
        # All errors of smtplib are OSErrors; these four say nothing about the next e-mail.
        if isinstance(error, OSError) and not isinstance(error, _ABOUT_ONE_MAIL):
            raise Unreachable from error
        return False
    _record(attempt, True, "accepted", at=at)
    _end(mail, MailStatus.SENT, "", at=at)
    return True


def _composed(mail: Mail) -> EmailMultiAlternatives:
    """Compose the e-mail, again if its visitor hides or shows the history in between (C13)."""
    visitor = mail.conversation.visitor
    visitor.refresh_from_db(fields=["hidden_at"])
    while True:
        before = visitor.hidden_at
        message = Composed(mail).message()
        visitor.refresh_from_db(fields=["hidden_at", "withdrawn_at"])
        if visitor.hidden_at == before:
            return message


_ABOUT_ONE_MAIL = (
    smtplib.SMTPSenderRefused,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPServerDisconnected,
)


def _failed(mail: Mail, attempt: Attempt, error: Exception, *, at: datetime) -> None:
    code, answer = _answer_of(error)
    _record(attempt, False, answer, at=at)
    if 500 <= code < 600:
        _end(mail, MailStatus.FAILED, answer, at=at)
        logger.error("mail %s was permanently refused (%s)", mail.public_id, code)
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            refused = Address.objects.filter(visitor=mail.conversation.visitor_id, email=mail.to)
            refused.update(refused_at=at)
        return
    again = retry_at(mail.attempts.filter(was_accepted=False).count(), at=at)
    if again is None:
        _end(mail, MailStatus.FAILED, answer, at=at)
        logger.error("gave up on mail %s after the last attempt", mail.public_id)
        return
    logger.warning("could not send mail %s, retrying", mail.public_id)
    Mail.objects.filter(pk=mail.pk).update(due_at=again, leased_until=None, reason=answer[:300])


def _answer_of(error: Exception) -> tuple[int, str]:
    """Return the code and text of the mail server's answer, without the recipient's address.

    The code is 0 if the server did not refuse this particular e-mail.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, message = next(iter(error.recipients.values()))
        return code, f"{code} {_readable(message)}"
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code, f"{error.smtp_code} {_readable(error.smtp_error)}"
    if isinstance(error, smtplib.SMTPResponseException):
        # A refused login or sender is for the operator to fix: the e-mail itself is good.
        return 0, f"{error.smtp_code} {_readable(error.smtp_error)}"
    return 0, f"{type(error).__name__}: {error}"


def _readable(message: bytes | str) -> str:
    return message.decode(errors="replace") if isinstance(message, bytes) else message


def _record(attempt: Attempt, was_accepted: bool, answer: str, *, at: datetime) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(
        ended_at=at, was_accepted=was_accepted, answer=answer[:500]
    )


def _end(mail: Mail, status: MailStatus, reason: str, *, at: datetime) -> None:
    Mail.objects.filter(pk=mail.pk).update(
        status=status, reason=reason[:300], ended_at=at, leased_until=None
    )


def _hang_up(server: BaseEmailBackend) -> None:
    # The connection is given up anyway.
    with suppress(OSError):
        server.close()
