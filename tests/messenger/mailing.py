"""A real mail server for tests, and what a visitor's mail program would send back."""

from __future__ import annotations

import asyncio
import email
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

VISITOR = "jeanne@example.org"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class MailServer:
    """Accepts mails as a provider would; ``answers`` are returned to RCPT or DATA in order."""

    port: int = 0
    to_rcpt: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    cut_after_data: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_rcpt:
            return self.to_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.to_data:
            return self.to_data.pop(0)
        parsed = email.message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.envelopes.append(envelope)
        if self.cut_after_data:
            self.cut_after_data -= 1
            assert server.transport is not None
            server.transport.abort()  # The mail was received, but the sender never learns it.
        return "250 OK"


class ClosingController(Controller):
    """Closes its connections when it stops. aiosmtpd's leaves open what its clients have not closed
    yet, or what it has not noticed being closed."""

    def __init__(self, handler: MailServer) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=handler.port)
        self.sessions: list[SMTP] = []

    def factory(self) -> SMTP:
        self.sessions.append(super().factory())
        return self.sessions[-1]

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(10)
        super().stop(no_assert)

    async def _close(self) -> None:
        if self.server:
            self.server.close()
        for session in self.sessions:
            if session.transport is not None:
                session.transport.abort()
        await asyncio.sleep(0)  # the loop's next turn closes their sockets


@contextmanager
def mail_server(settings: Any) -> Iterator[MailServer]:
    """Run a server through which the product sends during the block."""
    server = MailServer(port=free_port())
    controller = ClosingController(server)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.DEFAULT_FROM_EMAIL = "Causerie <hello@mail.example.com>"
    try:
        yield server
    finally:
        controller.stop()


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def reply_to(
    mail: EmailMessage, words: str, *, sender: str = VISITOR, message_id: str = "<1@example.org>"
) -> EmailMessage:
    """Return an answer as a mail program composes it: words above the quoted mail."""
    quoted = "\n".join(f"> {line}" for line in text_of(mail).splitlines())
    reply = EmailMessage()
    reply["From"] = f"Jeanne <{sender}>"
    reply["To"] = mail["Reply-To"]
    reply["Subject"] = f"Re: {mail['Subject']}"
    reply["Message-ID"] = message_id
    reply["In-Reply-To"] = mail["Message-ID"]
    reply.set_content(f"{words}\n\nOn Mon, 5 Mar 2035 at 10:01, Maison <a@b.c> wrote:\n{quoted}\n")
    return reply


class Lmtp:
    """Hands mails to the product's LMTP entry point, as a mail server does."""

    def __init__(self, port: int) -> None:
        self.port = port

    def deliver(self, raw: bytes, recipients: list[str], sender: str = VISITOR) -> dict[str, int]:
        """Return the response for each recipient: to RCPT if refused, else after the mail."""
        with smtplib.LMTP("127.0.0.1", self.port, timeout=20) as client:
            client.ehlo_or_helo_if_needed()
            client.mail(sender)
            answers = {recipient: client.rcpt(recipient)[0] for recipient in recipients}
            taken = [recipient for recipient, code in answers.items() if code == 250]
            if taken:
                client.docmd("DATA")
                client.send(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n.\r\n")
                # Python's client does not know LMTP's separate response for each recipient.
                answers |= {recipient: client.getreply()[0] for recipient in taken}
            return answers
