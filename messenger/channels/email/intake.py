"""An e-mail at the address of an inbox: a person's words, a bounce of ours, or a machine's.

What machines write is never answered and begins no conversation: auto-replies, newsletters, mailing
lists, our own addresses. A bounce becomes the receipt of the message that it is about.
"""

from __future__ import annotations

import email
import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import Message
from enum import StrEnum

from django.conf import settings

from conversations.messages import inbound_emails
from conversations.models import InboundMessage, Inbox, OutboundMessage, OutboundStatus
from messenger.channels import inbound, receipts
from messenger.channels.connector import Incoming, Receipt, RemoteFile
from messenger.mail.headers import addresses, normalized, raw_values, value
from messenger.mail.parsing import parse

logger = logging.getLogger(__name__)

KIND = "email"
HOURLY = 30
"""The limit of e-mails an hour and sender, which ends a loop of undeclared machines."""

TEXT_LIMIT = 20_000
"""How many characters become messages; "Full e-mail" has them all."""

_ID = re.compile(r"<[^<>\s]{3,290}>")
_BULK = frozenset({"list", "bulk", "junk"})


class Outcome(StrEnum):
    """What became of an e-mail."""

    STORED = "stored"
    REPEATED = "already delivered"
    MACHINE = "automatic message"
    BOUNCE = "bounce"
    LOOP = "from one of our own addresses"
    TOO_MANY = "too many e-mails in one hour"
    NAMELESS = "no sender, or several"


def inbox_of(recipient: str) -> Inbox | None:
    """Return the active inbox of an address; a tag after + does not count."""
    local, at, domain = normalized(recipient).rpartition("@")
    plain = f"{local.partition('+')[0]}{at}{domain}"
    rows = Inbox.objects.select_related("website").filter(kind=KIND, is_active=True)
    named = {normalized(str(one.options.get("address", ""))): one for one in rows}
    # The whole address first: the inbox itself may have a tag.
    return named.get(f"{local}{at}{domain}") or named.get(plain)


def take(raw: bytes, inbox: Inbox, *, at: datetime, sender: str | None = None) -> Outcome:
    """Take an e-mail in; safe to repeat. ``sender`` is that of the envelope: an empty one accepts
    no replies, so a machine wrote it."""
    message = email.message_from_bytes(raw)
    is_bounce = sender is not None and sender.strip() in {"", "<>"}
    outcome = _take(raw, message, inbox, at=at, is_bounce=is_bounce)
    if outcome not in {Outcome.STORED, Outcome.BOUNCE}:
        logger.info("inbox %s: an e-mail was ignored: %s", inbox.pk, outcome)
    return outcome


def _take(raw: bytes, message: Message, inbox: Inbox, *, at: datetime, is_bounce: bool) -> Outcome:
    bounces = list(bounces_of(message))
    for receipt in bounces:
        receipts.record(inbox, receipt, at=at)
    if bounces:
        return Outcome.BOUNCE
    incoming = parse(raw, is_bounce=is_bounce)
    if incoming.is_automatic or is_bulk(message):
        return Outcome.MACHINE
    if len(incoming.senders) != 1:
        return Outcome.NAMELESS
    author = incoming.senders[0]
    if author in _own_addresses():
        return Outcome.LOOP
    known = InboundMessage.objects.filter(inbox=inbox)
    if known.filter(provider_id=incoming.message_id).exists():
        return Outcome.REPEATED
    lately = known.filter(correspondent__address=author, received_at__gt=at - timedelta(hours=1))
    if lately.count() >= HOURLY:
        return Outcome.TOO_MANY
    # Before the row, because a file without a row is only waste.
    file = inbound_emails.store(raw, website_id=inbox.website_id)
    is_reply = _answers_us(message, inbox)
    words = incoming.body or incoming.text if is_reply else _first(incoming.subject, incoming.text)
    news = Incoming(
        provider_id=incoming.message_id,
        address=author,
        text=words[:TEXT_LIMIT],
        name=_name(message),
        files=tuple(
            RemoteFile(f"{file}#{number}", one.name or one.kind)
            for number, one in enumerate(incoming.files)
        ),
        original={
            "sender": ", ".join([author, *_others(message, inbox)])[:320],
            "subject": incoming.subject,
            "text": incoming.text,
            "file_names": [one.name or one.kind for one in incoming.files],
            "size": len(raw),
        },
    )
    is_new = False
    try:
        is_new = inbound.store(inbox, [news], at=at, file=file) > 0
    finally:
        if not is_new:
            inbound_emails.discard(file)
    return Outcome.STORED if is_new else Outcome.REPEATED


def _first(subject: str, text: str) -> str:
    """Return the words of a mail that begins something: its subject belongs to them."""
    return "\n\n".join(part for part in (subject.strip(), text.strip()) if part)


def _others(message: Message, inbox: Inbox) -> list[str]:
    """Return who else got it, for the agent to see: answers go to its author only."""
    named = addresses(raw_values(message, "To") + raw_values(message, "Cc"))
    own = normalized(str(inbox.options.get("address", "")))
    return [f"Cc: {one}" for one in named if one != own][:5]


def _name(message: Message) -> str:
    return value(message, "From").partition("<")[0].strip().strip('"').strip()


def is_bulk(message: Message) -> bool:
    """Return whether it was sent to many: a newsletter or a mailing list."""
    precedence = value(message, "Precedence").strip().lower()
    return precedence in _BULK or any(
        name in message for name in ("List-Id", "List-Unsubscribe", "List-Post")
    )


def _answers_us(message: Message, inbox: Inbox) -> bool:
    """Return whether it answers a message of this inbox, by the ids of its thread."""
    ids = _ids_of(message, "In-Reply-To") + _ids_of(message, "References")
    # The last ids of a long thread are the closest.
    return OutboundMessage.objects.filter(inbox=inbox, provider_id__in=ids[-50:]).exists()


def _ids_of(message: Message, name: str) -> list[str]:
    return [one for raw in raw_values(message, name) for one in _ID.findall(raw[:20_000])]


def _own_addresses() -> set[str]:
    """Return every address from which this installation writes."""
    # Two installations, or two inboxes, would answer each other for ever.
    own = set(addresses([settings.DEFAULT_FROM_EMAIL, settings.MAIL_REPLY_TO]))
    for options in Inbox.objects.filter(kind=KIND).values_list("options", flat=True):
        own.add(normalized(str(options.get("address", ""))))
    return own


def bounces_of(message: Message) -> Iterator[Receipt]:
    """Yield a receipt for each message that a mail server could not deliver (RFC 3464)."""
    if message.get_content_type() != "multipart/report":
        return
    failures = [one for part in message.walk() for one in _failures(part)]
    if not failures:
        return
    for part in message.walk():
        if part is message:
            continue
        text = part.as_string() if part.get_content_type() == "text/rfc822-headers" else ""
        for one in [*_ids_of(part, "Message-ID"), *_ids_in(text)]:
            yield Receipt(one, OutboundStatus.FAILED, failures[0])


def _failures(part: Message) -> list[str]:
    """Return what a mail server says of the recipients that it gave up."""
    if part.get_content_type() != "message/delivery-status":
        return []
    blocks = part.get_payload()
    said = []
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Message) and value(block, "Action").strip().lower() == "failed":
            code = value(block, "Diagnostic-Code").partition(";")[2].strip()
            said.append(" ".join((code or value(block, "Status") or "failed").split())[:250])
    return said


def _ids_in(text: str) -> list[str]:
    found = re.search(r"^Message-ID:\s*(<[^<>\s]{3,290}>)", text, re.IGNORECASE | re.MULTILINE)
    return [found[1]] if found else []
