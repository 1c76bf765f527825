"""Sheets: what a report shows, as rows for a CSV or XLSX file, with numbers instead of texts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.http import HttpResponse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from reporting import figures
from reporting.exports import row_files
from reporting.exports.workbook import Cell, Row
from reporting.figures.answers import Answer
from reporting.figures.registry import Figure, Unit
from reporting.reports import breakdowns, content
from reporting.reports.filters import Chosen
from reporting.reports.omitted_surveys import omitted

SALES_CUT = (
    "transactions",
    "attributed",
    "attributed_share",
    "turnover",
    "refunds",
    "turnover_refunded",
)
EXPERIENCE_CUT = ("closed", "csat", "nps", "response_rate", "first_response", "resolution")
FLOW_CUT = ("opened", "closed", "contacts_per_conversation", "transfers", "snoozes", "wait")
STAFF_CUT = (
    "contacts",
    "handled",
    "handle_time",
    "handle_total",
    "passed_on",
    "lost_by_timer",
    "available_time",
    "availability",
    "occupancy",
    "adherence",
    "first_response",
    "csat",
    "nps",
    "paid",
)

REASONS_CUT = ("opened", "closed", "csat", "first_response", "resolution", "transfers")
CALLS_CUT = (
    "calls",
    "calls_answered",
    "calls_missed",
    "calls_missed_share",
    "calls_declined",
    "calls_failed",
    "call_wait",
    "call_length",
    "call_total",
    "call_loss",
    "call_round_trip",
)

DEFLECTION_CUT = (
    "articles_answered",
    "articles_read",
    "bot_begun",
    "bot_contained",
    "bot_silent",
    "bot_passed_on",
    "containment",
)

CUTS = {
    "experience": EXPERIENCE_CUT,
    "conversations": FLOW_CUT,
    "agents": STAFF_CUT,
    "reasons": REASONS_CUT,
    "calls": CALLS_CUT,
    "deflection": DEFLECTION_CUT,
    "transactions": SALES_CUT,
}
"""The figures in the breakdown of each report."""

ALWAYS_BY = {"agents": "agent", "reasons": "tag"}
"""The reports that are divided in one way only."""


@dataclass(frozen=True, slots=True)
class Sheet:
    title: str
    headings: list[str]
    rows: list[Row]


def of_report(name: str, asked: Chosen, by: str) -> Sheet | None:
    """Return a report's breakdown or one of its other sheets; ``None`` for an unknown
    name."""
    if name in CUTS:
        return _in_parts(name, asked, ALWAYS_BY.get(name, by))
    return OTHER_SHEETS[name](asked) if name in OTHER_SHEETS else None


def behind_chart(name: str, asked: Chosen) -> Sheet:
    """Return a figure's trend over the period, and over the one before it."""
    figure = figures.FIGURES[name]
    [trend] = content.trends(asked, figure.name)
    headings = [_("When"), _heading(figure), _("Counted"), _("Before")]
    rows: list[Row] = [
        [
            _moment(point.name),
            _cell(point.answer),
            point.answer.n,
            _cell(point.before) if point.before else None,
        ]
        for point in trend.points
    ]
    return Sheet(str(figure.label), headings, rows)


def written(sheet: Sheet, kind: str) -> bytes:
    file = io.BytesIO()
    row_files.WRITERS[kind](file, [sheet.rows], sheet.title, sheet.headings)
    return file.getvalue()


def answer(sheet: Sheet, name: str, kind: str, asked: Chosen) -> HttpResponse:
    """Return the file as a download, named after its content and period."""
    period = asked.scope.period
    return handed_over(sheet, f"{name}-{period.first:%Y%m%d}-{period.last:%Y%m%d}", kind)


def handed_over(sheet: Sheet, called: str, kind: str) -> HttpResponse:
    response = HttpResponse(written(sheet, kind), content_type=row_files.KINDS[kind][0])
    response["Content-Disposition"] = f'attachment; filename="{called}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


def _in_parts(name: str, asked: Chosen, by: str) -> Sheet:
    parts = content.breakdown(asked.scope, by, *CUTS[name])
    return Sheet(
        title=name,
        headings=[str(content.SALES_CUT_NAMES[by]), *map(_heading, parts.figures)],
        rows=[[str(row.name), *(_cell(one) for _figure, one in row.cells)] for row in parts.rows],
    )


def _closures(asked: Chosen) -> Sheet:
    headings = [_("Reason"), _("By"), _("Closures"), _("Share")]
    return Sheet("closures", headings, _parts(breakdowns.closures(asked.scope), with_by=True))


def _snooze_ends(asked: Chosen) -> Sheet:
    headings = [_("End"), _("Snoozes"), _("Share")]
    return Sheet("snooze-ends", headings, _parts(breakdowns.snooze_ends(asked.scope)))


def _suggestions(asked: Chosen) -> Sheet:
    headings = [_("Outcomes"), _("Questions"), _("Share")]
    return Sheet("suggestions", headings, _parts(breakdowns.suggestions(asked.scope)))


def _waits(asked: Chosen) -> Sheet:
    lines = zip(WEEKDAYS.values(), content.heat(asked.scope, "wait"), strict=True)
    rows: list[Row] = [[str(day), *(_cell(cell.answer) for cell in cells)] for day, cells in lines]
    return Sheet("waits", [_("Day"), *map(str, range(24))], rows)


def _omitted(asked: Chosen) -> Sheet:
    rows: list[Row] = [[line.reason, line.count] for line in omitted(asked.scope)]
    return Sheet("omitted", [_("Reason"), _("Closures")], rows)


OTHER_SHEETS: dict[str, Callable[[Chosen], Sheet]] = {
    "closures": _closures,
    "snooze-ends": _snooze_ends,
    "suggestions": _suggestions,
    "waits": _waits,
    "omitted": _omitted,
}


def _parts(parts: Iterable[breakdowns.Part], *, with_by: bool = False) -> list[Row]:
    return [
        [str(part.name), *([str(part.by)] if with_by else []), part.n, round(part.share, 2)]
        for part in parts
    ]


def _heading(figure: Figure) -> str:
    """Return a figure's heading. Durations are in seconds."""
    return f"{figure.label} (s)" if figure.unit is Unit.SECONDS else str(figure.label)


def _cell(answer: Answer) -> Cell:
    """Return the unformatted number; nothing if it is unknown or in several currencies."""
    return None if answer.value is None else round(float(answer.value), 4)


def _moment(bucket: date | datetime) -> Cell:
    """Return the website's local time without a zone: a spreadsheet has none."""
    return bucket.replace(tzinfo=None) if isinstance(bucket, datetime) else bucket
