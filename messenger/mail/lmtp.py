"""Intake of replies from the operator's mail server by LMTP (RFC 2033)."""

from __future__ import annotations

import asyncio
import logging

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.utils import timezone

from messenger.mail import arrivals, replies

logger = logging.getLogger(__name__)

SIZE_LIMIT = 25 * 1024 * 1024
QUIET_SECONDS = 60


class Lmtp(LMTP):
    """Accepts lines of any length: some programs write a letter in one, and a refusal loses it."""

    line_length_limit = SIZE_LIMIT


class LmtpHandler:
    """The LMTP handler: it refuses unknown addresses at once and accepts the rest.

    An e-mail refused for its sender still gets "250": the mail server would send the refusal to
    the person who is impersonated.
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
        if not await sync_to_async(_is_ours)(address):
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        try:
            await sync_to_async(_take)(raw, list(envelope.rcpt_tos), envelope.mail_from or "")
        except Exception:
            # Whatever the error, the e-mail is not stored: with another answer it would be lost.
            logger.exception(
                "could not store a reply by e-mail, the mail server will deliver it again"
            )
            return _for_each(envelope, "451 4.3.0 Please try again later")
        return _for_each(envelope, "250 2.0.0 Delivered")


def _is_ours(address: str) -> bool:
    # The server's threads live for days, and no request ends them.
    close_old_connections()
    try:
        return arrivals.is_ours(address)
    finally:
        close_old_connections()


def _take(raw: bytes, recipients: list[str], sender: str) -> None:
    close_old_connections()
    try:
        arrivals.take(raw, recipients, at=timezone.now(), sender=sender)
    finally:
        close_old_connections()


def _for_each(envelope: Envelope, answer: str) -> str:
    """Repeat the answer for each recipient, as LMTP requires."""
    return "\r\n".join([answer] * len(envelope.rcpt_tos))


async def listen(host: str, port: int) -> asyncio.Server:
    """Start the server; its socket is listening when this returns."""
    handler = LmtpHandler()

    def make() -> LMTP:
        return Lmtp(
            handler,
            data_size_limit=SIZE_LIMIT,
            timeout=QUIET_SECONDS,
            ident="Causerie",
            enable_SMTPUTF8=True,  # addresses beyond ASCII
        )

    return await asyncio.get_running_loop().create_server(make, host, port)
