"""An incoming e-mail, as far as we use it: sender, id, whether it is automatic, and its text.

Everything here may come from an attacker: nothing is trusted. Unreadable content is reported as
such; the e-mail itself is stored.
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
    """``senders`` are the normalized addresses of From, ``text`` is the whole text with quotes.

    ``is_whole``: all of it could be read.
    """

    message_id: str
    senders: tuple[str, ...]
    subject: str
    is_automatic: bool
    text: str
    files: tuple[File, ...]
    is_whole: bool = True

    @property
    def body(self) -> str:
        """The words, if nothing is known of the quoted e-mail."""
        return quotes.words(self.text)


def parse(raw: bytes, *, is_bounce: bool = False) -> Incoming:
    """Read an e-mail; ``is_bounce`` means that its envelope accepts no replies."""
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
    """Return the e-mail, and whether its parts could be separated.

    A damaged boundary breaks Python's parser; then only the headers are read.
    """
    try:
        return email.message_from_bytes(raw), True
    except Exception:
        logger.exception("could not separate the parts of an e-mail, storing it unchanged")
        return BytesParser().parsebytes(raw, headersonly=True), False


def _content(message: Message) -> tuple[Content, bool]:
    try:
        return bodies.read(message), True
    except Exception:
        # An e-mail that breaks the reader is delivered all the same, as a file: otherwise its
        # sender would never know, and the mail server would retry for days.
        logger.exception("could not parse an e-mail, storing it unchanged")
        return Content(), False


def _message_id(message: Message, raw: bytes) -> str:
    """Return the Message-ID, or one made of the bytes, so that a repeat has the same id."""
    given = value(message, "Message-ID").strip()
    return given[:300] or f"<{hashlib.sha256(raw).hexdigest()}@unnamed>"
