"""The moments of an imported conversation, made consistent: when it began, what came when, its end.

Pure. The database demands an order that exports do not always have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from messenger.moving.fields import Unreadable
from messenger.moving.form import MessageLine, NoteLine, Read
from messenger.moving.lines import Whole


@dataclass(slots=True)
class Chronology:
    """``messages`` and ``notes`` in the order of their moments."""

    opened_at: datetime
    closed_at: datetime
    messages: list[tuple[Read, MessageLine, datetime]]
    notes: list[tuple[Read, NoteLine, datetime]]
    changes: list[str] = field(default_factory=list)


def of(whole: Whole) -> Chronology:
    """Return the moments of a conversation; raise ``Unreadable`` if it has none at all."""
    line, changes = whole.line, list[str]()
    parts = [(one, one.record) for one in whole.parts]
    texts = [(one, part) for one, part in parts if isinstance(part, MessageLine)]
    notes = [(one, part) for one, part in parts if isinstance(part, NoteLine)]
    moments = [*(part.at for _one, part in texts), *(part.at for _one, part in notes)]
    known = [at for at in moments if at is not None]
    began = line.opened_at or min(known, default=line.closed_at)
    if began is None:
        raise Unreadable("it has no moment at all")
    if line.opened_at is None:
        changes.append("opened_at is missing: the first moment that is known")
    dated = _dated(texts, began)
    opened_at = min([began, *(at for *_rest, at in dated)])
    if opened_at < began:
        changes.append("opened_at is later than the first message: that one’s moment")
    last = max([opened_at, *(at for *_rest, at in dated)])
    closed_at = line.closed_at or max([last, *known])
    if line.is_open:
        changes.append("it was open: imported as closed")
    elif line.closed_at is None:
        changes.append("closed_at is missing: the last moment that is known")
    if closed_at < last:
        changes.append("closed_at is earlier than the last message: that one’s moment")
        closed_at = last
    return Chronology(
        opened_at,
        closed_at,
        sorted(dated, key=lambda row: row[2]),
        sorted(((one, part, part.at or began) for one, part in notes), key=lambda row: row[2]),
        changes,
    )


def _dated(
    texts: list[tuple[Read, MessageLine]], began: datetime
) -> list[tuple[Read, MessageLine, datetime]]:
    """Give messages without a moment that of the one before them: their place is all that is
    known."""
    dated = []
    before = began
    for one, part in texts:
        if part.at is None:
            one.changes.append("at is missing: that of the message before it")
        before = part.at or before
        dated.append((one, part, before))
    return dated
