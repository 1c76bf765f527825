"""The subjects of exports: the rows behind a figure, or one row for each conversation."""

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
NAMES: dict[str, Text] = {CONVERSATIONS: gettext_lazy("One row per conversation")}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to be written. ``total`` is approximate: rows may be added meanwhile."""

    title: str
    headings: list[str]
    pieces: Iterator[list[Row]]
    total: int


def name_of(subject: str) -> Text | None:
    """Return the display name of a subject; ``None`` if there is no such subject."""
    figure = figures.FIGURES.get(subject)
    return figure.label if figure else NAMES.get(subject)


def sheet(subject: str, scope: Scope) -> Sheet:
    """Return the sheet in chunks of a few thousand rows, so that only one chunk is in memory."""
    if subject == CONVERSATIONS:
        writer = conversations.Writer(scope)
        return Sheet(
            title=_("Conversations"),
            headings=conversations.headings(),
            pieces=(piece for day in scope.by_day() for piece in writer.pieces(day)),
            total=conversations.opened(scope).count(),
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
        rows = row_lists.plain(figure, day).iterator(chunk_size=CHUNK)
        for piece in batched(rows, CHUNK):
            yield [names.cells(row) for row in piece]


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
