"""A mail that came in, as far as we use it: who, which, whether a machine wrote it, and its words.

Everything here may have been made by somebody who means harm: nothing is believed. Whatever cannot
be read is said to be so; the mail itself is kept.
"""

from __future__ import annotations

import email
import hashlib
import logging
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser

from messenger.mail import bodies, quotes
from messenger.mail.auto_replies import is_automatic
from messenger.mail.bodies import Content
from messenger.mail.files import File
from messenger.mail.headers import addresses, raw_values, value

logger = logging.getLogger(__name__)

SUBJECT_LIMIT = 250


@dataclass(frozen=True, slots=True)
class Incoming:
    """``senders`` are the addresses of From as they are compared, ``text`` is all that the mail
    says, quotes included; ``is_whole`` tells whether all of it could be read."""

    message_id: str
    senders: tuple[str, ...]
    subject: str
    is_automatic: bool
    text: str
    files: tuple[File, ...]
    is_whole: bool = True

    @property
    def body(self) -> str:
        """The words, where nothing is known of what is answered."""
        return quotes.words(self.text)


def parse(raw: bytes, *, is_bounce: bool = False) -> Incoming:
    """Read a mail; ``is_bounce`` says that its envelope takes no answers."""
    message, is_parsed = _message(raw)
    content, is_read = _content(message) if is_parsed else (Content(), False)
    return Incoming(
        message_id=_message_id(message, raw),
        senders=tuple(addresses(raw_values(message, "From"))[:5]),
        subject=" ".join(value(message, "Subject").split())[:SUBJECT_LIMIT],
        is_automatic=is_bounce or is_automatic(message),
        text=content.text,
        files=tuple(content.files),
        is_whole=is_read and not content.is_cut,
    )


def _message(raw: bytes) -> tuple[Message, bool]:
    """The mail, and whether its parts are told apart: a damaged boundary breaks Python's parser,
    which then reads the headers alone."""
    try:
        return email.message_from_bytes(raw), True
    except Exception:
        logger.exception("the parts of a mail could not be told apart; it is kept as it came")
        return BytesParser().parsebytes(raw, headersonly=True), False


def _content(message: Message) -> tuple[Content, bool]:
    try:
        return bodies.read(message), True
    except Exception:
        # A mail that breaks the reader is delivered all the same, as a file: otherwise its sender
        # would never know, and the mail server would bring it again for days.
        logger.exception("a mail could not be read; it is kept as it came")
        return Content(), False


def _message_id(message: Message, raw: bytes) -> str:
    """The mail's own, else one made of its bytes: delivered again, it is still the same mail."""
    given = value(message, "Message-ID").strip()
    return given[:300] or f"<{hashlib.sha256(raw).hexdigest()}@unnamed>"
