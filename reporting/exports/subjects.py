"""What a file can be of: the rows behind a figure, or each conversation in one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reporting import figures
from reporting.exports import conversations, row_files
from reporting.exports.row_files import CHUNK
from reporting.exports.workbook import Row
from reporting.figures.registry import Figure, Text
from reporting.figures.scope import Scope
from reporting.reports import row_lists

CONVERSATIONS = "conversations"
NAMES: dict[str, Text] = {CONVERSATIONS: gettext_lazy("One row for each conversation")}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sheet:
    """``total`` rows, about: others may come while it is written."""

    title: str
    headings: list[str]
    pieces: Iterator[list[Row]]
    total: int


def name_of(subject: str) -> Text | None:
    """What a reader calls it; ``None`` where there is no such thing."""
    figure = figures.FIGURES.get(subject)
    return figure.label if figure else NAMES.get(subject)


def sheet(subject: str, scope: Scope) -> Sheet:
    """All of it, in pieces of some thousand rows: however many there are, a piece is in memory."""
    if subject == CONVERSATIONS:
        writer = conversations.Writer(scope)
        return Sheet(
            title=_("Conversations"),
            headings=conversations.headings(),
            pieces=(piece for day in scope.by_day() for piece in writer.pieces(day)),
            total=conversations.found(scope).count(),
        )
    figure = figures.FIGURES[subject]
    return Sheet(
        title=str(figure.label),
        headings=row_files.headings(),
        pieces=_behind(figure, scope),
        total=row_lists.plain(figure, scope).count(),
    )


def _behind(figure: Figure, scope: Scope) -> Iterator[list[Row]]:
    names = row_files.Names(scope)
    for day in scope.by_day():
        found = row_lists.plain(figure, day).iterator(chunk_size=CHUNK)
        for piece in batched(found, CHUNK):
            yield [names.cells(row) for row in piece]


def batched(found: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(found)
    while piece := list(islice(rest, size)):
        yield piece
