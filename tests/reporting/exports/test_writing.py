"""How figures, parts and the points of a chart are formatted and sorted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import translation

from reporting import figures
from reporting.figures.answers import Answer
from reporting.figures.period import TrendUnit
from reporting.figures.registry import Unit
from reporting.reports import charts, content
from reporting.reports.content import Point, Trend
from reporting.templatetags.figures import bucket_name, exact, grouped, tick, written


def trend(first: date, count: int, step: TrendUnit = TrendUnit.WEEK) -> Trend:
    names = [first + timedelta(weeks=number) for number in range(count)]
    chart = charts.draw([1.0] * count, [], as_bars=True)
    points = [
        Point(name, x, width, Answer(1, 1), None)
        for name, (x, width) in zip(names, chart.places, strict=True)
    ]
    return Trend(figures.FIGURES["closed"], step, chart, tuple(points))


@pytest.mark.parametrize(
    ("value", "expected"), [(54.4, "+54"), (-54.4, "−54"), (0.3, "0"), (-0.3, "0"), (None, "–")]
)
def test_points_have_a_sign_unless_zero(value: float | None, expected: str) -> None:
    assert written(value, Unit.POINTS) == expected


@pytest.mark.parametrize(("language", "expected"), [("en", "218,400"), ("fr", "218\u202f400")])
def test_large_counts_are_grouped(language: str, expected: str) -> None:
    with translation.override(language):
        assert grouped(218400).replace("\xa0", "\u202f") == expected


def test_machine_formats_have_unrounded_figures() -> None:
    assert (exact(1 / 3), exact(3), exact(None)) == ("0.3333333333333333", "3.0", "")


def test_bucket_names_include_the_year_across_years() -> None:
    one, two = trend(date(2026, 1, 5), 40), trend(date(2025, 11, 24), 53)
    assert bucket_name(one.points[0], one) == "5 Jan"
    assert bucket_name(two.points[0], two) == "24 Nov 2025"
    assert bucket_name(two.points[-1], two) == "23 Nov 2026"


def test_a_long_chart_has_ticks_in_between() -> None:
    year, week = trend(date(2025, 11, 24), 53), trend(date(2026, 1, 5), 7)
    assert [tick(point, year) for point, _share in year.ticks] == [
        "23 Feb",
        "25 May",
        "24 Aug",
    ]
    assert [round(share, 2) for _point, share in year.ticks] == [0.25, 0.5, 0.75]
    assert week.ticks == ()


def test_numbers_in_names_are_sorted_naturally() -> None:
    names = ["Team 10", "équipe", "Team 2", "team 1", "2 Team", ""]
    assert sorted(names, key=content.natural) == [
        "",
        "2 Team",
        "team 1",
        "Team 2",
        "Team 10",
        "équipe",
    ]
