"""A strict CSV reader, line by line: each record has the number of its first line, and each error
the line that it is in. Pure: uses Django only for translations.

Python's own reader takes an unclosed quote for a field that goes on to the end of the file, and
stops at its first error. Here a record that cannot be read costs only its first line: reading goes
on with the next one.
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
"""Characters per line; a shop's export has a few hundred."""
RECORD_LINES = 50
"""Lines that one record may span, by line breaks inside quotes."""
DELIMITERS = ";\t,"
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Record:
    """The cells that begin in line ``number``, or the ``fault`` that made them unreadable."""

    number: int
    cells: tuple[str, ...] = ()
    fault: str = ""


def text_of(file: IO[bytes]) -> io.TextIOWrapper:
    """Open a file as text. Bytes that are not UTF-8 become surrogates, so that their line can be
    named."""
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def records(lines: Iterable[str]) -> Iterator[Record]:
    """Yield the records of a file that was opened with ``newline=""``, without empty lines. The
    delimiter is the first of ``DELIMITERS`` that the first line contains."""
    reader, delimiter = _LineReader(lines), ""
    while (line := reader.next()) is not None:
        number = reader.number
        if not delimiter and line.strip():
            delimiter = next((one for one in DELIMITERS if one in line), ",")
        record = _record(number, line, reader, delimiter or ",")
        if record.fault or any(cell.strip() for cell in record.cells):
            yield record


def _record(number: int, line: str, lines: _LineReader, delimiter: str) -> Record:
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
    except (csv.Error, ValueError):  # not a whole record, or more than one
        fault = fault or _("A quotation mark in this line is unclosed or out of place.")
    if fault:
        lines.give_back(more)
        return Record(number, fault=fault)
    return Record(number, tuple(cell.strip() for cell in cells))


def _unreadable(line: str) -> str:
    """Return why a line cannot be read; an empty string if it can."""
    if len(line) > LINE_LIMIT:
        return _("This line is too long. The limit is %(n)s characters.") % {"n": LINE_LIMIT}
    if not line.isascii() and SURROGATE.search(line):
        return _("This line is not encoded in UTF-8.")
    if "\0" in line:
        return _("This line contains an invalid character (NUL).")
    return ""


class _LineReader:
    """The lines of a file one by one; ``number`` is that of the last. A lone carriage return also
    ends a line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rest = (one for line in lines for one in LINE.findall(line))
        self._waiting: deque[str] = deque()
        self.number = 0

    def next(self) -> str | None:
        """Return the next line with its line end; ``None`` after the last."""
        line = self._waiting.popleft() if self._waiting else next(self._rest, None)
        if line is not None:
            self.number += 1
            if self.number == 1:
                line = line.removeprefix("\ufeff")
        return line

    def give_back(self, lines: list[str]) -> None:
        """Put these lines back to be read again."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)
