"""The e-mails behind messages: kept as files, opened by agents, erased with their conversation.

They are no attachments: a visitor is neither offered them nor charged for them.
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
    """What is kept of an e-mail beside its bytes."""

    sender: str
    subject: str
    text: str
    file_names: Sequence[str]


def store(raw: bytes, *, website_id: int) -> str:
    """Keep the bytes; returns their name in the storage. Before the transaction: a file without a
    row is only waste, a row without its file would be a lie."""
    one = uuid.uuid4().hex
    folder = f"emails/{website_id}/{one[:2]}/{one}-{uuid.uuid4().hex[:12]}"
    return default_storage.save(f"{folder}/email.eml", ContentFile(raw))


def discard(file: str) -> None:
    """Delete bytes whose row did not come to be."""
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
    """Write down an e-mail whose bytes are stored, in the caller's transaction."""
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
    """What the last e-mails of a conversation said, quotes and signatures included."""
    newest = conversation.inbound_emails.order_by("-received_at")
    return list(newest.values_list("text", flat=True)[:LATEST])


def content(email: InboundEmail) -> bytes:
    """The e-mail as it came. ``FileNotFoundError`` where the storage has lost it."""
    with default_storage.open(email.file) as kept:
        found: bytes = kept.read()
        return found
