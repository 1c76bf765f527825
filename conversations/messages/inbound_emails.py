"""Inbound e-mails: stored as files, opened by agents, erased with their conversation.

They are no attachments: visitors do not see them, and they do not count as uploads.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from conversations.models import Conversation, InboundEmail

LATEST = 5


@dataclass(frozen=True, slots=True)
class Original:
    """What is stored of an e-mail besides its bytes."""

    sender: str
    subject: str
    text: str
    file_names: Sequence[str]


def store(raw: bytes, *, website_id: int) -> str:
    """Store the bytes and return their name in the storage. Call it before the transaction: a file
    without a row is only waste, but a row without its file would be broken."""
    one = uuid.uuid4().hex
    folder = f"emails/{website_id}/{one[:2]}/{one}-{uuid.uuid4().hex[:12]}"
    return default_storage.save(f"{folder}/email.eml", ContentFile(raw))


def discard(file: str) -> None:
    """Delete stored bytes whose row was not created."""
    default_storage.delete(file)


def record(
    conversation: Conversation,
    original: Original,
    *,
    pk: uuid.UUID,
    seq: int | None,
    file: str,
    size: int,
    at: datetime,
) -> InboundEmail:
    """Create the row of an e-mail whose bytes are stored, in the caller's transaction."""
    return InboundEmail.objects.create(
        id=pk,
        conversation=conversation,
        seq=seq,
        sender=original.sender[:320],
        subject=original.subject[:250],
        text=original.text,
        file_names=list(original.file_names),
        size=size,
        file=file,
        received_at=at,
    )


def latest_texts(conversation: Conversation) -> list[str]:
    """Return the texts of the last e-mails of a conversation, quotes and signatures included."""
    newest = conversation.inbound_emails.order_by("-received_at")
    return list(newest.values_list("text", flat=True)[:LATEST])


def content(email: InboundEmail) -> bytes:
    """Return the e-mail as received; raise ``FileNotFoundError`` if the storage has lost it."""
    with default_storage.open(email.file) as stored:
        raw: bytes = stored.read()
        return raw
