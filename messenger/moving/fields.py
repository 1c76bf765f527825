"""Reading the fields of one line: what is missing, wrong, or not as it was meant.

Pure. Exports of other products are untidy, so a field that cannot be read is left out where the
rest is worth having; ``changes`` then says so, for the report.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from conversations.messages.validators import BODY_LIMIT
from core.text.cleaning import REPLACEMENT, is_identifier, line, words

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATE = timedelta(days=1)
ID_LIMIT = 100
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,4})?")


class Unreadable(Exception):
    """A line is refused, and why."""


class Fields:
    """The fields of a line. Each is taken once; ``finish`` reports those that nobody took."""

    def __init__(self, values: dict[str, Any], *, at: datetime) -> None:
        self._left = dict(values)
        self._latest = at + LATE
        self.changes: list[str] = []

    def within(self, value: Any) -> Fields | None:
        """Return the fields of an object inside this one; None if it is no object."""
        if not isinstance(value, dict):
            return None
        return Fields(value, at=self._latest - LATE)

    def take(self, name: str) -> Any:
        return self._left.pop(name, None)

    def finish(self) -> None:
        """Report the fields that were not used: nothing disappears without a word."""
        if self._left:
            names = ", ".join(sorted(line(name, 40) for name in self._left)[:20])
            self.changes.append(f"fields that are not used: {names}")

    def reference(self, name: str, *, limit: int = ID_LIMIT) -> str:
        """Return the id that another line goes by; empty if there is none. A number is an id too,
        since most products number their rows."""
        value = self.take(name)
        if value is None:
            return ""
        is_named = isinstance(value, (str, int)) and not isinstance(value, bool)
        text = str(value).strip() if is_named else ""
        if len(text) > limit or not is_identifier(text):
            self.changes.append(f"{name} is no id")
            return ""
        return text

    def identity(self, name: str = "id") -> str:
        """Return the line's own id; refuse the line without one."""
        found = self.reference(name)
        if not found:
            raise Unreadable(f"no {name}")
        return found

    def label(self, name: str, limit: int) -> str:
        """Return a text of one line."""
        value = self.take(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.changes.append(f"{name} is not text")
            return ""
        text = line(value, limit)
        if len(line(value)) > limit:
            self.changes.append(f"{name} is cut to {limit} characters")
        return text

    def text(self, name: str) -> str:
        """Return a text of any number of lines."""
        value = self.take(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.changes.append(f"{name} is not text")
            return ""
        if REPLACEMENT in value:
            self.changes.append(f"{name} has characters that cannot be stored")
        return words(value)

    def choice(self, name: str, choices: tuple[str, ...], *, otherwise: str) -> str:
        value = self.take(name)
        if value in choices:
            return str(value)
        if value is not None:
            self.changes.append(f"{name} is none of {', '.join(choices)}: {otherwise or 'empty'}")
        return otherwise

    def truth(self, name: str, *, otherwise: bool) -> bool:
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            self.changes.append(f"{name} is neither true nor false")
        return value if isinstance(value, bool) else otherwise

    def number(self, name: str, low: int, high: int) -> int | None:
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.changes.append(f"{name} is no number from {low} to {high}")
        return None

    def language(self, name: str, *, otherwise: str) -> str:
        value = self.take(name)
        if isinstance(value, str) and LANGUAGE.fullmatch(value):
            return value.replace("_", "-")
        if value is not None:
            self.changes.append(f"{name} is no language: {otherwise}")
        return otherwise

    def details(self, name: str) -> dict[str, Any]:
        value = self.take(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.changes.append(f"{name} is no object")
            return {}
        return value

    def entries(self, name: str) -> list[Any]:
        value = self.take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.changes.append(f"{name} is no list")
            return []
        return value

    def moment(self, name: str) -> datetime | None:
        """Return a moment; None if there is none that can be true."""
        value = self.take(name)
        if value is None:
            return None
        try:
            at = _moment(value)
        except (ValueError, OverflowError, OSError):
            self.changes.append(f"{name} is no moment")
            return None
        if at.tzinfo is None:
            self.changes.append(f"{name} has no time zone: read as UTC")
            at = at.replace(tzinfo=UTC)
        try:
            at = at.astimezone(UTC)
        except OverflowError:  # In the first or last hours of the calendar.
            at = datetime.min.replace(tzinfo=UTC)
        if not EARLIEST <= at <= self._latest:
            self.changes.append(f"{name} is before 1990 or in the future")
            return None
        return at


def _moment(value: Any) -> datetime:
    """Return the moment of an ISO 8601 text, or of seconds since 1970."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    raise ValueError


def split(text: str) -> list[str]:
    """Return the messages that hold a text: each as long as a message can be, cut at the end of a
    line or word if there is one."""
    parts: list[str] = []
    while text:
        piece = text[:BODY_LIMIT]
        if len(text) > BODY_LIMIT:
            end = max(piece.rfind("\n"), piece.rfind(" "))
            piece = piece[:end] if end > BODY_LIMIT // 2 else piece
        text = text[len(piece) :].lstrip()
        parts.append(piece.rstrip())
    return parts
