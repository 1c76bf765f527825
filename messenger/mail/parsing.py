"""A mail that came in, as far as we use it: who, which, whether a machine wrote it, and its words.

Everything here may have been made by somebody who means harm: nothing is believed, and whatever
cannot be read is passed over. Python's own ``EmailMessage`` is not used: its parser of headers
fails on some.
"""

from __future__ import annotations

import email
import hashlib
import re
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

import lxml.html
from inscriptis import Inscriptis
from lxml.etree import ParserError
from mailparser_reply.parser import EmailMessage

from messenger.mail.compose import DELIMITER

PARTS = 200
TEXT_LIMIT = 40_000
LANGUAGES = ["en", "fr", "de", "es", "it", "nl", "pl", "sv", "da"]

# What telephones add, in the French that the library does not know.
SENT_FROM = re.compile(
    r"\n\s*(Envoyé (de|à partir de|depuis) (mon|ma|Outlook|Yahoo|Proton) ?.{0,40}"
    r"|Télécharger Outlook pour .{1,20})\s*$",
    re.IGNORECASE,
)

# In what mail programs put the text that is answered to.
QUOTES = (
    "//blockquote | //style | //script | //head | //*[contains(@class, 'gmail_quote')]"
    " | //*[contains(@class, 'moz-cite-prefix')] | //*[contains(@class, 'yahoo_quoted')]"
    " | //*[contains(@class, 'protonmail_quote')] | //*[@id='appendonsend']/following-sibling::*"
    " | //*[@id='divRplyFwdMsg'] | //*[@id='divRplyFwdMsg']/following-sibling::*"
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """``senders`` are the addresses of From, in small letters; ``body`` is without quotes."""

    message_id: str
    senders: tuple[str, ...]
    is_automatic: bool
    body: str
    attachments: int


def parse(raw: bytes) -> Incoming:
    message = email.message_from_bytes(raw)
    text, html, attachments = _parts(message)
    return Incoming(
        message_id=_message_id(message, raw),
        senders=_senders(message),
        is_automatic=_is_automatic(message),
        body=_words(text if text.strip() else _text_of(html)),
        attachments=attachments,
    )


def _header(message: Message, name: str) -> str:
    try:
        return str(make_header(decode_header(str(message.get(name, "")))))
    except (LookupError, ValueError):
        return ""


def _message_id(message: Message, raw: bytes) -> str:
    """The mail's own, else one made of its bytes: delivered again, it is still the same mail."""
    given = _header(message, "Message-ID").replace("\x00", "").strip()
    return given[:300] or f"<{hashlib.sha256(raw).hexdigest()}@unnamed>"


def _senders(message: Message) -> tuple[str, ...]:
    fields = [str(field) for field in message.get_all("From", [])]
    found = getaddresses(fields[:5])
    return tuple(address.lower() for _name, address in found[:5] if address)


def _is_automatic(message: Message) -> bool:
    """Whether a machine wrote it: such a mail is never answered, and is no message (RFC 3834)."""
    submitted = _header(message, "Auto-Submitted").split(";")[0].strip().lower()
    precedence = _header(message, "Precedence").strip().lower()
    return (
        submitted not in {"", "no"}
        or precedence in {"bulk", "junk", "list", "auto_reply"}
        or any(name in message for name in ("List-Id", "X-Autoreply", "X-Autorespond", "X-Loop"))
        or message.get_content_type() == "multipart/report"
        or _header(message, "Return-Path").strip() == "<>"
        or any(one.startswith(("mailer-daemon@", "postmaster@")) for one in _senders(message))
    )


def _parts(message: Message) -> tuple[str, str, int]:
    """The first plain text, the first HTML, and how many files hang on it."""
    text, html, attachments = "", "", 0
    for number, part in enumerate(message.walk()):
        if number >= PARTS:
            break
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        if part.get_filename() or part.get_content_disposition() == "attachment":
            attachments += 1
        elif kind == "text/plain" and not text:
            text = _decoded(part)
        elif kind == "text/html" and not html:
            html = _decoded(part)
    return text, html, attachments


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    raw = raw[: 4 * TEXT_LIMIT]
    try:
        return raw.decode(part.get_content_charset() or "utf-8", errors="strict")
    except (LookupError, UnicodeError):
        try:
            return raw.decode("utf-8")
        except UnicodeError:
            return raw.decode("windows-1252", errors="replace")


def _text_of(html: str) -> str:
    try:
        tree = lxml.html.fromstring(html[: 4 * TEXT_LIMIT])
    except (ParserError, ValueError):
        return ""
    for quoted in tree.xpath(QUOTES):
        if quoted.getparent() is not None:
            quoted.drop_tree()
    return str(Inscriptis(tree).get_text())


def _words(text: str) -> str:
    """What the sender wrote: without the mail that is answered, and without a signature."""
    # Without long runs of blanks, over which patterns of the library would run again and again.
    text = text[:TEXT_LIMIT].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    text = "\n".join(re.sub(r"[ \t]{3,}", "  ", line)[:2000] for line in text.split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", text.strip())
    above, found, _below = text.partition(DELIMITER)
    if found:
        text = _without_prefix(above)
    text = SENT_FROM.sub("", text)
    read = EmailMessage(text=text, languages=[*LANGUAGES], keep_hyphen_lists=True).read()
    words = read.replies[0].body if read.replies else text
    lines = [line for line in words.split("\n") if not line.startswith(">")]
    return "\n".join(lines).strip()


def _without_prefix(text: str) -> str:
    """The delimiter stands in the quote: what is left of its own line is a quote mark."""
    head, newline, last = text.rpartition("\n")
    return head if newline and not last.strip(" >|") else text
