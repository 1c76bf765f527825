"""The rows behind a figure as a file: read in pieces, so that any number needs little memory."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import IO, Any

import xlsxwriter
from asgiref.sync import sync_to_async
from django.utils.translation import gettext as _

from reporting import rows
from reporting.figures.registry import Figure
from reporting.figures.scope import Scope

CHUNK = 2000
BLOCK = 64 * 1024
SHEET_ROWS = 1_048_576
"""Of one sheet, as workbooks have it; what is more goes on the next."""

Cell = str | int | float | datetime | None
# What a spreadsheet takes for the beginning of a formula, also behind blanks and quotes.
FORMULA = re.compile(r"""^[\s"']*[=+\-@|%＝＋－＠]|^[\t\r\n]""")
NUMBER = re.compile(r"^-?\d+([.,]\d+)?$")


def headings() -> list[str]:
    """The first line; the same for every figure, so that files can be put together."""
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
    ]


def cells(line: rows.Line) -> list[Cell]:
    """One row; moments by the wall of its own website, lengths of time in seconds."""
    survey, sale = line.survey, line.sale
    return [
        line.number,
        line.at.replace(tzinfo=None, microsecond=0),
        line.website,
        line.group,
        line.agent,
        line.worth,
        survey.csat if survey else None,
        survey.nps if survey else None,
        survey.comment if survey else None,
        sale.external_id if sale else None,
        float(sale.amount) if sale else None,
        sale.currency if sale else None,
        sale.get_outcome_display() if sale else None,
    ]


def chunks(figure: Figure, scope: Scope) -> Iterator[list[rows.Line]]:
    """All rows, oldest number first, each piece by a statement of its own: no transaction stays
    open while somebody's line is slow."""
    found = rows.ordered(figure, scope).order_by("pk")
    last = 0
    while piece := list(found.filter(pk__gt=last)[:CHUNK]):
        yield rows.lines(figure, scope, piece)
        last = piece[-1].pk


def harmless(text: str) -> str:
    """A text that no spreadsheet runs as a formula (N6, CWE-1236)."""
    text = text.replace("\0", "")
    if FORMULA.match(text) and not NUMBER.match(text):
        return "'" + text
    return text


async def as_csv(pieces: Iterator[list[rows.Line]]) -> AsyncIterator[bytes]:
    """UTF-8 with the mark that Excel wants, semicolons as it expects them in most of Europe."""
    yield "\ufeff".encode() + _written([list(headings())])
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield _written([cells(line) for line in piece])


def _next(pieces: Iterator[list[rows.Line]]) -> list[rows.Line] | None:
    """The next piece, None at the end; ``StopIteration`` may not leave a coroutine."""
    return next(pieces, None)


def _written(lines: list[list[Cell]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in line] for line in lines
    )
    return text.getvalue().encode()


async def as_workbook(pieces: Iterator[list[rows.Line]], title: str) -> AsyncIterator[bytes]:
    """An XLSX: written to a temporary file row by row, then sent in blocks."""
    with tempfile.TemporaryFile() as file:
        await sync_to_async(_write_workbook)(file, pieces, title)
        file.seek(0)
        while block := await sync_to_async(file.read, thread_sensitive=False)(BLOCK):
            yield block


def _write_workbook(file: IO[bytes], pieces: Iterator[list[rows.Line]], title: str) -> None:
    plain = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, plain) as book:
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        bold = book.add_format({"bold": True})
        number = SHEET_ROWS
        sheet: Any = None
        for line in (line for piece in pieces for line in piece):
            if number >= SHEET_ROWS:
                sheet, number = _new_sheet(book, title, bold), 1
            _write_row(sheet, number, cells(line), moment)
            number += 1
        if sheet is None:
            _new_sheet(book, title, bold)


def _new_sheet(book: Any, title: str, bold: Any) -> Any:
    count = len(book.worksheets()) + 1
    name = re.sub(r"[\[\]:*?/\\']", " ", title)[:25]
    sheet = book.add_worksheet(name if count == 1 else f"{name} {count}")
    sheet.freeze_panes(1, 0)
    sheet.set_column(1, 1, 20)
    for column, heading in enumerate(headings()):
        sheet.write_string(0, column, heading, bold)
    return sheet


def _write_row(sheet: Any, number: int, line: list[Cell], moment: Any) -> None:
    for column, cell in enumerate(line):
        if isinstance(cell, datetime):
            sheet.write_datetime(number, column, cell, moment)
        elif isinstance(cell, str):
            if cell:
                sheet.write_string(number, column, cell.replace("\0", ""))
        elif cell is not None:
            sheet.write_number(number, column, cell)


Export = Callable[[Iterator[list[rows.Line]], str], AsyncIterator[bytes]]

KINDS: dict[str, tuple[str, Export]] = {
    "csv": ("text/csv; charset=utf-8", lambda pieces, title: as_csv(pieces)),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_workbook,
    ),
}
