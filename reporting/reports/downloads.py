"""The files that a report offers, in one menu for each page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from reporting.figures.registry import Figure, Text
from reporting.reports.content import Trend

SHEETS: dict[str, Text] = {
    "closures": _("Why conversations were closed, and by whom"),
    "snooze-ends": _("How snoozes ended"),
    "waits": _("Wait by hour of the week"),
    "omitted": _("Closed without a survey"),
    "suggestions": _("Suggested replies"),
    "queues": _("Queues"),
    "waiting": _("Waiting"),
    "agents": _("Connected agents"),
    "snoozed": _("Snoozed conversations"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """One file: its kind, its address, and the name of the picture that the browser makes of it."""

    kind: str
    address: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """Part of a page, with the kinds of file it is available in."""

    name: Text
    links: tuple[Link, ...]


def of_sheet(name: Text, of: str, query: str, by: str = "") -> Download:
    """Return the download of a sheet of a report."""
    asked = f"{query}&by={by}" if by else query
    return Download(name, _both("sheet_file", of, asked))


def of_sheets(names: Iterable[str], query: str) -> list[Download]:
    """Return the downloads of sheets that have the same name on all pages."""
    return [of_sheet(SHEETS[name], name, query) for name in names]


def of_charts(trends: Iterable[Trend], query: str) -> list[Download]:
    """Return the downloads of charts, as pictures and as the numbers behind them."""
    return [
        Download(
            trend.figure.label,
            (
                Link("SVG", f"{reverse('chart', args=[trend.figure.name])}?{query}"),
                Link(
                    "PNG",
                    f"{reverse('chart', args=[trend.figure.name])}?{query}",
                    f"{trend.figure.name}.png",
                ),
                *_both("chart_file", trend.figure.name, query),
            ),
        )
        for trend in trends
    ]


def of_rows(figure: Figure, query: str) -> Download:
    """Return the download of the rows behind a figure."""
    return Download(_("All rows"), _both("export", figure.name, query))


def of_board(names: Iterable[str], query: str) -> list[Download]:
    """Return the downloads of complete sheets of the board."""
    return [Download(SHEETS[name], _both("board_file", name, query)) for name in names]


def of_list(name: Text, of: str, query: str) -> Download:
    """Return the download of the board's conversations in one state."""
    return Download(name, _both("board_file", of, query))


def of_adviser(query: str, replay: str) -> list[Download]:
    """Return the downloads of the queue-size page: the split of places and the replay."""
    shares = tuple(
        Link(kind.upper(), f"{reverse('queue_size_file', args=[kind])}?{query}")
        for kind in ("csv", "xlsx")
    )
    played = tuple(
        Link(kind.upper(), f"{reverse('replay_file', args=[kind])}?{replay}")
        for kind in ("csv", "xlsx")
    )
    return [
        Download(_("Distribution among the active queues"), shares),
        Download(_("What would have happened"), played),
    ]


def _both(address: str, of: str, query: str) -> tuple[Link, ...]:
    return tuple(
        Link(kind.upper(), f"{reverse(address, args=[of, kind])}?{query}")
        for kind in ("csv", "xlsx")
    )
