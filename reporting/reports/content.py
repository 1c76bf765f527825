"""The content of the reports as plain data: tiles, charts and tables from the registry of
figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, Website
from accounts.templatetags.interface import language_name
from conversations.models import Style, Tag
from reporting import figures
from reporting.figures import answers
from reporting.figures.answers import Answer, Answers, Cut
from reporting.figures.measures import Number
from reporting.figures.period import TrendUnit
from reporting.figures.registry import Figure, Text, Unit
from reporting.figures.scope import Scope
from reporting.reports import charts, comparison
from reporting.reports.filters import Chosen
from routing.models import DistributionRule

BOUNDS = {Unit.PERCENT: (0.0, 100.0), Unit.POINTS: (-100.0, 100.0)}
UNNAMED = _("none")
TICKS = 3


@dataclass(frozen=True, slots=True)
class Change:
    """A change against the period before: in points for shares, in per cent for the rest.
    ``is_better`` is None where more is neither better nor worse."""

    by: float
    unit: Unit
    is_better: bool | None


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure as the page shows it; ``beside`` has others of the same rows."""

    figure: Figure
    answer: Answer
    before: Answer
    change: Change | None
    beside: tuple[tuple[Figure, Answer], ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    name: date | datetime
    x: float
    width: float
    answer: Answer
    before: Answer | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A chart and the table behind it."""

    figure: Figure
    step: TrendUnit
    chart: charts.Chart
    points: tuple[Point, ...]

    @property
    def known(self) -> tuple[Point, ...]:
        """The points with a value. A single one is shown as a number, not a chart."""
        return tuple(point for point in self.points if point.answer.value is not None)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw, neither for this period nor for the one before."""
        both = (one for point in self.points for one in (point.answer, point.before))
        return not any(one and (one.n or one.value or one.is_mixed) for one in both)

    @property
    def has_years(self) -> bool:
        """Whether its points lie in more than one year."""
        return len({point.name.year for point in self.points}) > 1

    @property
    def ticks(self) -> tuple[tuple[Point, float], ...]:
        """The points labelled between the two ends, with their positions as shares of the width."""
        last = len(self.points) - 1
        if last < 2 * (TICKS + 1):
            return ()
        points = (self.points[round(last * n / (TICKS + 1))] for n in range(1, TICKS + 1))
        return tuple((point, (point.x + point.width / 2) / charts.WIDTH) for point in points)

    @property
    def is_mixed(self) -> bool:
        """Whether it cannot be drawn in full because there are several currencies."""
        return any(point.answer.is_mixed for point in self.points)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a breakdown: its name, the parameter that narrows a report to it, and its cells."""

    key: str
    name: Text
    parameter: str
    cells: tuple[tuple[Figure, Answer], ...]


@dataclass(frozen=True, slots=True)
class Breakdown:
    figures: tuple[Figure, ...]
    rows: tuple[Row, ...]


def named(*names: str) -> list[Figure]:
    return [figures.FIGURES[name] for name in names]


def tiles(scope: Scope, *names: str | tuple[str, ...]) -> list[Tile]:
    """Return a tile for each name. Of several names the first is the figure; the others are shown
    beside it."""
    together = [(one,) if isinstance(one, str) else one for one in names]
    base = comparison.of(scope)
    now = answers.total(named(*(name for one in together for name in one)), scope)
    before = answers.total(named(*(first for first, *_others in together)), scope.before)
    return [
        Tile(
            figure=figures.FIGURES[first],
            answer=now[first],
            before=before[first],
            change=_change(figures.FIGURES[first], now[first], before[first])
            if base.holds_for(figures.FIGURES[first])
            else None,
            beside=tuple((figures.FIGURES[name], now[name]) for name in others),
        )
        for first, *others in together
    ]


def _change(figure: Figure, now: Answer, before: Answer) -> Change | None:
    """Return the change, if both values are in the same currency."""
    is_same = now.currency == before.currency
    return change(figure, now.value, before.value) if is_same else None


def change(figure: Figure, now: Number, before: Number) -> Change | None:
    """Return the change; None if one value is unknown or there is nothing to compare with."""
    if now is None or before is None:
        return None
    if figure.unit in BOUNDS:
        by, unit = float(now) - float(before), Unit.POINTS
    elif before:
        by, unit = 100 * (float(now) - float(before)) / float(before), Unit.PERCENT
    else:
        return None
    is_better = None
    # A change that is shown as 0.0 is neither better nor worse.
    if figure.grows_better is not None and round(by, 1):
        is_better = (by > 0) is figure.grows_better
    return Change(by, unit, is_better)


def trends(chosen: Chosen, *names: str) -> list[Trend]:
    """Return the trends of the figures over the period, with the period before behind them."""
    wanted = named(*names)
    now = answers.trend(wanted, chosen.scope, chosen.step)
    before = list(answers.trend(wanted, chosen.scope.before, chosen.step).values())
    at_home = {_on_the_wall(name, chosen.scope): cells for name, cells in now.items()}
    return [_trend(figure, at_home, before, chosen.step) for figure in wanted]


def _on_the_wall(bucket: date | datetime, scope: Scope) -> date | datetime:
    """Convert an hour to the website's local time; an hour that occurs twice stays two moments."""
    return bucket.astimezone(scope.zone) if isinstance(bucket, datetime) else bucket


def _trend(
    figure: Figure, now: dict[Any, Answers], before: Sequence[Answers], step: TrendUnit
) -> Trend:
    values = [cell[figure.name].value for cell in now.values()]
    earlier = [cell[figure.name] for cell in before[: len(values)]]
    bounds = BOUNDS.get(figure.unit)
    known = [float(value) for value in [*values, *(one.value for one in earlier)] if value]
    if figure.unit is Unit.SECONDS:
        bounds = (0.0, charts.nice_time(max(known, default=0.0)))
    chart = charts.draw(
        values,
        [one.value for one in earlier],
        as_bars=figure.unit in {Unit.COUNT, Unit.SUM, Unit.MONEY},
        bounds=bounds,
    )
    points = (
        Point(
            name=name,
            x=place[0],
            width=place[1],
            answer=cell[figure.name],
            before=earlier[number] if number < len(earlier) else None,
        )
        for number, ((name, cell), place) in enumerate(zip(now.items(), chart.places, strict=True))
    )
    return Trend(figure, step, chart, tuple(points))


def breakdown(scope: Scope, by: str, *names: str) -> Breakdown:
    """Return the figures for each group, rule, style, agent or language."""
    cut, namer = CUTS[by]
    wanted = named(*names)
    by_key = answers.cut(wanted, scope, cut)
    called = namer(key for key in by_key if key is not None)
    rows = [
        Row(
            key="" if key is None else str(key),
            name=called.get(key) or UNNAMED,
            parameter="" if key in {None, ""} else f"{by}={key}",
            cells=tuple((figure, cells[figure.name]) for figure in wanted),
        )
        for key, cells in by_key.items()
        if any(cells[figure.name].n for figure in wanted)
    ]
    rows.sort(key=lambda row: (not row.parameter, natural(str(row.name))))
    return Breakdown(tuple(wanted), tuple(rows))


def natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a sort key that puts "Team 2" before "Team 10"."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


Namer = Callable[[Iterable[Any]], dict[Any, Text]]


def _rows_named(model: Any) -> Namer:
    return lambda keys: {row.pk: str(row) for row in model.objects.filter(pk__in=list(keys))}


CUTS: dict[str, tuple[Cut, Namer]] = {
    "website": (answers.by_field("website"), _rows_named(Website)),
    "group": (answers.BY_GROUP, _rows_named(Group)),
    "rule": (answers.BY_RULE, _rows_named(DistributionRule)),
    "style": (answers.BY_STYLE, lambda keys: {key: Style(key).label for key in keys}),
    "agent": (answers.BY_AGENT, _rows_named(Agent)),
    "language": (answers.BY_LANGUAGE, lambda keys: {key: language_name(key) for key in keys}),
    "tag": (answers.BY_TAG, _rows_named(Tag)),
    "currency": (answers.BY_CURRENCY, lambda keys: {key: key for key in keys}),
}
CUT_NAMES: dict[str, Text] = {
    "website": _("Website"),
    "group": _("Group"),
    "rule": _("Rule"),
    "style": _("Style"),
    "agent": _("Agent"),
    "language": _("Language"),
    "tag": _("Tag"),
}
SALES_CUT_NAMES: dict[str, Text] = {**CUT_NAMES, "currency": _("Currency")}


@dataclass(frozen=True, slots=True)
class HeatCell:
    answer: Answer
    level: int


def heat(scope: Scope, name: str) -> list[list[HeatCell]]:
    """Return a figure by the hour of the week: seven rows from Monday, with 24 cells each."""
    figure = figures.FIGURES[name]
    by_hour = answers.cut([figure], scope, answers.BY_HOUR_OF_WEEK)
    nothing = Answer.nothing(figure.measure(scope))
    cells = [by_hour.get(hour, {}).get(name, nothing) for hour in range(7 * 24)]
    highest = max((float(cell.value) for cell in cells if cell.value is not None), default=0.0)
    drawn = [HeatCell(cell, charts.level(cell.value, highest)) for cell in cells]
    return [drawn[day * 24 : day * 24 + 24] for day in range(7)]
