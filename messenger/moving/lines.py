"""The lines of a file, one at a time: each is an object, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from core.text import strict_json
from messenger.moving.fields import Unreadable
from messenger.moving.form import (
    VERSION,
    ConversationLine,
    FileLine,
    MessageLine,
    NoteLine,
    Read,
    read,
)
from messenger.moving.report import Report

LONGEST = 20_000_000
"""Bytes of a line. It bounds the memory that a broken file can take."""
MOST = 20_000
"""Lines that belong to one conversation. It is held in memory as a whole, to be numbered."""

Line = tuple[str, dict[str, Any] | str]
"""Where it stands, and the object or the reason why there is none."""


class NotOurForm(Exception):
    """The file does not begin as this form does."""


@dataclass(slots=True)
class Whole:
    """A conversation with all that belongs to it."""

    head: Read
    parts: list[Read] = field(default_factory=list)

    @property
    def line(self) -> ConversationLine:
        assert isinstance(self.head.record, ConversationLine)
        return self.head.record


Unit = Read | Whole


def of_file(path: Path) -> Iterator[Line]:
    """Yield the lines of a file, numbered from 1."""
    with path.open("rb") as source:
        number = 0
        while raw := source.readline(LONGEST + 1):
            number += 1
            if len(raw) > LONGEST:
                _skip_rest(source, raw)
                yield str(number), f"longer than {LONGEST} bytes"
            elif raw.strip():
                yield str(number), _object(raw)


def _skip_rest(source: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = source.readline(LONGEST)


def _object(raw: bytes) -> dict[str, Any] | str:
    try:
        value = strict_json.parse(raw)
    except strict_json.Malformed:
        return "not JSON in UTF-8, each name once"
    return value if isinstance(value, dict) else "not an object"


def source_of(lines: Iterator[Line]) -> str:
    """Take the first line, which says what the others are; return the name of their source."""
    _place, first = next(lines, ("", ""))
    if not isinstance(first, dict) or first.get("type") != "history":
        raise NotOurForm('The first line must be {"type": "history", "version": 1, "source": …}.')
    if first.get("version") != VERSION:
        raise NotOurForm(f"This version reads version {VERSION} of the form only.")
    source = first.get("source")
    if not isinstance(source, str) or not 0 < len(source) <= 30 or not source.isprintable():
        raise NotOurForm("The source must have a name of at most 30 characters.")
    return source


def units(lines: Iterator[Line], *, language: str, at: datetime, report: Report) -> Iterator[Unit]:
    """Yield agents, tags and people, and each conversation with the lines that follow it."""
    whole: Whole | None = None
    for place, values in lines:
        if isinstance(values, str):
            report.refuse(place, "line", "", values)
            continue
        try:
            one = read(values, place=place, language=language, at=at)
        except Unreadable as unreadable:
            name = values.get("id")
            named = str(name)[:100] if isinstance(name, (str, int)) else ""
            report.refuse(place, str(values.get("type"))[:20], named, str(unreadable))
            continue
        if isinstance(one.record, (MessageLine, NoteLine, FileLine)):
            _belongs(one, one.record, whole, report)
            continue
        if whole is not None:
            yield whole
        whole = Whole(one) if isinstance(one.record, ConversationLine) else None
        if whole is None:
            yield one
    if whole is not None:
        yield whole


def _belongs(
    one: Read, record: MessageLine | NoteLine | FileLine, whole: Whole | None, report: Report
) -> None:
    """Add a line to the conversation before it, or refuse it."""
    if whole is None or whole.line.id != record.conversation:
        report.refuse(one.place, one.type, record.id, "its conversation does not stand before it")
    elif len(whole.parts) >= MOST:
        report.refuse(one.place, one.type, record.id, f"more than {MOST} lines in a conversation")
    else:
        whole.parts.append(one)
