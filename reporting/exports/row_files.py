"""The rows behind a figure as a file, read in chunks so that any number of rows needs little
memory."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import lru_cache
from typing import IO

from asgiref.sync import sync_to_async
from django.utils.translation import gettext as _

from accounts.models import Agent, Group
from reporting.exports import workbook
from reporting.exports.workbook import Row
from reporting.figures.registry import Figure
from reporting.figures.scope import Scope
from reporting.models import OUTCOMES
from reporting.reports import row_lists

CHUNK = 2000
BLOCK = 64 * 1024
BEGINNING = "\ufeff".encode()
"""The byte order mark, by which Excel recognizes UTF-8."""

# What a spreadsheet takes for the beginning of a formula, also after blanks and quotes.
FORMULA = re.compile(r"""^[\s"']*[=+\-@|%＝＋－＠]|^[\t\r\n]""")
NUMBER = re.compile(r"^-?\d+([.,]\d+)?$")


def headings() -> list[str]:
    """Return the header line. It is the same for every figure, so that files can be combined.
    "Counts as" adds up to the figure where that is a number or a sum; for a mean it lists the
    values."""
    return [
        _("Conversation"),
        _("When"),
        _("Website"),
        _("Group"),
        _("Agent"),
        _("Counts as"),
        _("Satisfaction"),
        _("Recommendation"),
        _("Comment"),
        _("Number"),
        _("Amount"),
        _("Currency"),
        _("Attribution"),
        _("Weight (s)"),
    ]


def chunks(figure: Figure, scope: Scope) -> Iterator[list[Row]]:
    """Yield all rows, the oldest day first, with one statement per day: only one day is in memory
    at a time, and no transaction stays open while a client downloads slowly."""
    names = Names(scope)
    for day in scope.by_day():
        rows = row_lists.plain(figure, day)
        if piece := [names.cells(row) for row in rows.iterator(chunk_size=CHUNK)]:
            yield piece


class Names:
    """The names behind the keys of a row, and the time zones of the websites."""

    def __init__(self, scope: Scope) -> None:
        ids = [website.pk for website in scope.websites]
        self.zones = {website.pk: website.clock for website in scope.websites}
        self.websites = {website.pk: website.name for website in scope.websites}
        self.groups = dict(Group.objects.filter(website__in=ids).values_list("pk", "name"))
        self.agents = dict(Agent.objects.values_list("pk", "display_name"))
        self.outcomes = {key: str(label) for key, label in OUTCOMES.items()}

    def cells(self, row: row_lists.Plain) -> Row:
        """Build one row, with moments in the local time of its website and durations in seconds."""
        number, at, website, group, agent, worth, csat, nps, comment, *rest = row
        sale, amount, money, why, weight = rest
        return [
            number,
            at.astimezone(self.zones[website]).replace(tzinfo=None, microsecond=0),
            self.websites[website],
            self.groups.get(group, ""),
            self.agents.get(agent, ""),
            worth,
            csat,
            nps,
            comment,
            sale,
            None if amount is None else float(amount),
            money,
            None if why is None else self.outcomes[why],
            weight,
        ]


@lru_cache(maxsize=4096)
def harmless(text: str) -> str:
    """Return the text so that no spreadsheet runs it as a formula (N6, CWE-1236)."""
    text = text.replace("\0", "")
    if FORMULA.match(text) and not NUMBER.match(text):
        return "'" + text
    return text


async def as_csv(pieces: Iterator[list[Row]]) -> AsyncIterator[bytes]:
    """Yield UTF-8 with the byte order mark for Excel and semicolons, as it expects in most of
    Europe."""
    yield BEGINNING + csv_lines([[*headings()]])
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield csv_lines(piece)


def _next(pieces: Iterator[list[Row]]) -> list[Row] | None:
    """Return the next chunk, None at the end: ``StopIteration`` may not leave a coroutine."""
    return next(pieces, None)


def csv_lines(lines: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in line] for line in lines
    )
    return text.getvalue().encode()


def write_csv(
    file: IO[bytes], pieces: Iterable[list[Row]], title: str, headings: list[str]
) -> None:
    """Write the same CSV to a file."""
    file.write(BEGINNING + csv_lines([[*headings]]))
    for piece in pieces:
        file.write(csv_lines(piece))


async def as_workbook(pieces: Iterator[list[Row]], title: str) -> AsyncIterator[bytes]:
    """Yield an XLSX: written to a temporary file row by row, then sent in blocks."""
    with tempfile.TemporaryFile() as file:
        await sync_to_async(workbook.write)(file, pieces, title, headings())
        file.seek(0)
        while block := await sync_to_async(file.read, thread_sensitive=False)(BLOCK):
            yield block


Export = Callable[[Iterator[list[Row]], str], AsyncIterator[bytes]]

KINDS: dict[str, tuple[str, Export]] = {
    "csv": ("text/csv; charset=utf-8", lambda pieces, title: as_csv(pieces)),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_workbook,
    ),
}
Writer = Callable[[IO[bytes], Iterable[list[Row]], str, list[str]], None]

WRITERS: dict[str, Writer] = {"csv": write_csv, "xlsx": workbook.write}
