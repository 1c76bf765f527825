"""What a channel accepts, as the composer shows it before an agent sends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from conversations.inboxes import kinds, windows
from conversations.inboxes.kinds import Limits
from conversations.messages.validators import BODY_LIMIT
from conversations.models import Conversation
from core.asgi.files import UPLOAD_BYTES

OFFICE = "application/vnd.openxmlformats-officedocument"
OPEN = "application/vnd.oasis.opendocument"
NAMES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WebP",
    "application/pdf": "PDF",
    f"{OFFICE}.wordprocessingml.document": "Word",
    f"{OFFICE}.spreadsheetml.sheet": "Excel",
    f"{OFFICE}.presentationml.presentation": "PowerPoint",
    f"{OPEN}.text": "ODT",
    f"{OPEN}.spreadsheet": "ODS",
    f"{OPEN}.presentation": "ODP",
    "text/plain": "TXT",
    "text/csv": "CSV",
}
"""The kinds of files that agents can send, as people call them."""


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """``files`` has the largest size of each content type; one that it lacks has ``file_bytes``,
    unless ``files`` is all that is taken. ``closes_at`` is when only templates are delivered."""

    label: str
    text: int
    file_bytes: int = 0
    files: Mapping[str, int] = field(default_factory=dict)
    closes_at: datetime | None = None
    window: timedelta | None = None
    is_closed: bool = False

    @property
    def accept(self) -> str:
        """Return what the browser offers to choose from; empty for what every reply may carry."""
        return ",".join(self.files)

    @property
    def length(self) -> str:
        """Return the limit of a text as people read it: 4,000."""
        return number_format(self.text, force_grouping=True)

    @property
    def files_as_json(self) -> str:
        return json.dumps(dict(self.files))

    @property
    def hours(self) -> int:
        """Return how long the channel stays open after a message of the person."""
        return int(self.window.total_seconds()) // 3600 if self.window else 0

    @property
    def kinds_of_files(self) -> list[str]:
        """Return the files in words, the same size together: "JPEG, PNG: 5 MB"."""
        if not self.file_bytes:
            return [_("no files")]
        if not self.files:
            return [_("files: %(size)d MB") % {"size": _megabytes(self.file_bytes)}]
        by_size: dict[int, list[str]] = {}
        for kind, size in self.files.items():
            by_size.setdefault(size, []).append(NAMES.get(kind, kind))
        return [_sized(names, size) for size, names in sorted(by_size.items())]


def of(conversation: Conversation, *, at: datetime) -> ChannelLimits | None:
    """Return the limits of a conversation's inbox; ``None`` for one of the Messenger."""
    if conversation.inbox is None:
        return None
    kind = kinds.of(conversation.inbox.kind)
    closes_at = windows.closes_at(conversation)
    limits = _within_ours(kind.limits, takes_files=conversation.website.takes_files)
    return ChannelLimits(
        label=str(kind.label),
        text=limits.text,
        file_bytes=limits.file_bytes,
        files=limits.file_types,
        closes_at=closes_at,
        window=limits.reply_window,
        is_closed=closes_at is not None and closes_at <= at,
    )


def _within_ours(limits: Limits, *, takes_files: bool) -> Limits:
    """Return what both the channel and the product accept."""
    most = UPLOAD_BYTES if takes_files else 0
    return Limits(
        text=min(limits.text, BODY_LIMIT),
        file_bytes=min(limits.file_bytes, most),
        file_types={kind: min(size, most) for kind, size in limits.file_types.items()},
        reply_window=limits.reply_window,
    )


def _sized(names: Iterable[str], size: int) -> str:
    return _("%(kinds)s: %(size)d MB") % {"kinds": ", ".join(names), "size": _megabytes(size)}


def _megabytes(size: int) -> int:
    return size // 2**20
