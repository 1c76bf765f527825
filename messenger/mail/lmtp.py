"""The door for replies where a mail server of one's own delivers them: LMTP (RFC 2033)."""

from __future__ import annotations

import asyncio
import logging

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.utils import timezone

from messenger.mail import replies
from messenger.mail.reply_addresses import conversation_of

logger = logging.getLogger(__name__)

SIZE_LIMIT = 25 * 1024 * 1024
QUIET_SECONDS = 60


class Lmtp(LMTP):
    """Takes lines of any length: some programs write a letter in one; refused, it would be lost."""

    line_length_limit = SIZE_LIMIT


class Door:
    """What is said to a mail server: unknown addresses are refused at once, the rest is taken.

    A mail that is refused for its sender is answered "250" all the same: the mail server would
    send the refusal to whoever is impersonated.
    """

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if len(envelope.rcpt_tos) >= replies.RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if conversation_of(address) is None:
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        try:
            await sync_to_async(_take)(raw, list(envelope.rcpt_tos), envelope.mail_from or "")
        except Exception:
            # Whatever it is, the mail is not here: answered otherwise, it would be nowhere.
            logger.exception("a reply by e-mail could not be stored; the mail server keeps it")
            return _for_each(envelope, "451 4.3.0 Please try again later")
        return _for_each(envelope, "250 2.0.0 Delivered")


def _take(raw: bytes, recipients: list[str], sender: str) -> None:
    close_old_connections()
    try:
        replies.take(raw, recipients, at=timezone.now(), sender=sender)
    finally:
        close_old_connections()


def _for_each(envelope: Envelope, answer: str) -> str:
    """LMTP answers once for each recipient."""
    return "\r\n".join([answer] * len(envelope.rcpt_tos))


async def listen(host: str, port: int) -> asyncio.Server:
    """Open the door; the server's socket is listening when this returns."""
    door = Door()

    def make() -> LMTP:
        return Lmtp(
            door,
            data_size_limit=SIZE_LIMIT,
            timeout=QUIET_SECONDS,
            ident="Causerie",
            enable_SMTPUTF8=True,  # addresses beyond ASCII
        )

    return await asyncio.get_running_loop().create_server(make, host, port)
