"""A CSV file read strictly, a line at a time: each record with the number of its first line, and
each fault with the line in which it is. Pure: no Django but its translations.

Python's own reader takes an unclosed quote for a field that goes on to the end of the file, and
gives up at its first error. Here a record that cannot be read costs its first line only: reading
goes on with the next one.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _

LINE_LIMIT = 20_000
"""Characters of one line; an export of a shop has some hundred."""
RECORD_LINES = 50
"""Lines that one record may go over, by line breaks inside quotes."""
DELIMITERS = ";\t,"
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Record:
    """The cells that begin in line ``number``; or ``fault``, why they could not be read."""

    number: int
    cells: tuple[str, ...] = ()
    fault: str = ""


def text_of(file: IO[bytes]) -> io.TextIOWrapper:
    """A file as text. What is not UTF-8 becomes surrogates, so that its line can be named."""
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The records of a file that was opened with ``newline=""``; empty lines are left out. The
    delimiter is the first of ``DELIMITERS`` that the first line has."""
    told, delimiter = _Lines(lines), ""
    while (line := told.next()) is not None:
        number = told.number
        if not delimiter and line.strip():
            delimiter = next((one for one in DELIMITERS if one in line), ",")
        found = _record(number, line, told, delimiter or ",")
        if found.fault or any(cell.strip() for cell in found.cells):
            yield found


def _record(number: int, line: str, lines: _Lines, delimiter: str) -> Record:
    if fault := _unreadable(line):
        return Record(number, fault=fault)
    whole, more = [line], list[str]()
    while sum(one.count('"') for one in whole) % 2 and len(more) < RECORD_LINES:
        following = lines.next()
        if following is None:
            break
        more.append(following)
        whole.append(following)
    fault = next(filter(None, map(_unreadable, more)), "")
    try:
        (cells,) = csv.reader(whole, delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):  # not whole, or more than one
        fault = fault or _("A quotation mark in this line is not closed, or stands alone.")
    if fault:
        lines.give_back(more)
        return Record(number, fault=fault)
    return Record(number, tuple(cell.strip() for cell in cells))


def _unreadable(line: str) -> str:
    """Why a line cannot be read; nothing where it can."""
    if len(line) > LINE_LIMIT:
        return _("This line is longer than %(n)s characters.") % {"n": LINE_LIMIT}
    if not line.isascii() and SURROGATE.search(line):
        return _("This line is not written in UTF-8.")
    if "\0" in line:
        return _("This line contains a character that no text has (NUL).")
    return ""


class _Lines:
    """The lines of a file one by one; ``number`` is that of the last. Where a line ends with a
    carriage return alone, it ends."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rest = (one for line in lines for one in LINE.findall(line))
        self._waiting: deque[str] = deque()
        self.number = 0

    def next(self) -> str | None:
        """The next line with its end; ``None`` after the last."""
        line = self._waiting.popleft() if self._waiting else next(self._rest, None)
        if line is not None:
            self.number += 1
            if self.number == 1:
                line = line.removeprefix("\ufeff")
        return line

    def give_back(self, lines: list[str]) -> None:
        """Read these once more."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)
