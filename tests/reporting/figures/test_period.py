"""Periods: which moments belong to a day, across midnights that occur twice or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.figures.period import (
    HOUR,
    Period,
    TrendUnit,
    buckets,
    fitting_step,
    midnight,
    offsets,
    start_of,
)

# Changes at 2:00, at midnight both ways, by half an hour; a skipped day; no change at all.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Paris",
        "America/Santiago",
        "America/Havana",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "UTC",
    )
]
zones = st.sampled_from(ZONES)
days = st.dates(date(2010, 1, 1), date(2035, 12, 31))
moments = st.datetimes(datetime(2010, 1, 2), datetime(2035, 12, 30), timezones=st.just(UTC))
periods = st.builds(
    lambda first, length: Period(first, first + timedelta(days=length)),
    days,
    st.integers(1, 40),
)


@given(at=moments, zone=zones)
def test_a_moment_belongs_to_its_local_day(at: datetime, zone: ZoneInfo) -> None:
    day = at.astimezone(zone).date()
    for offset in (-1, 0, 1):
        other = day + timedelta(days=offset)
        is_held = Period(other, other + timedelta(days=1)).holds(at, zone)
        assert is_held is (offset == 0)


@given(period=periods, zone=zones)
def test_consecutive_periods_are_contiguous(period: Period, zone: ZoneInfo) -> None:
    assert period.before.bounds(zone)[1] == period.bounds(zone)[0]
    assert period.before.days == period.days


@given(period=periods, zone=zones, step=st.sampled_from(TrendUnit), share=st.floats(0, 0.999999))
def test_every_moment_of_a_period_has_a_bucket(
    period: Period, zone: ZoneInfo, step: TrendUnit, share: float
) -> None:
    start, end = period.bounds(zone)
    at = start + (end - start) * share
    if not start <= at < end:
        return  # a period of one skipped day
    starts = buckets(period, step, zone)
    assert len(starts) == len(set(starts))
    if step is TrendUnit.HOUR and zone.key in {"Australia/Lord_Howe"}:
        return  # its hours begin at half past for half a year
    assert start_of(step, at, zone) in starts


@given(zone=st.sampled_from(ZONES), share=st.floats(0, 1, exclude_max=True))
def test_offsets_match_the_local_time(zone: ZoneInfo, share: float) -> None:
    period = Period(date(2034, 11, 1), date(2036, 2, 1))
    start, end = period.bounds(zone)
    at = start + (end - start) * share
    changes = offsets(period, zone)
    assert changes[0][0] == start
    (_since, ahead) = [change for change in changes if change[0] <= at][-1]
    assert timedelta(seconds=ahead) == at.astimezone(zone).utcoffset()


@pytest.mark.parametrize(("day", "hours"), [("2035-03-25", 23), ("2035-10-28", 25)])
def test_days_of_a_clock_change_have_23_and_25_hours(day: str, hours: int) -> None:
    first = date.fromisoformat(day)
    starts = buckets(Period(first, first + timedelta(days=1)), TrendUnit.HOUR, ZONES[0])
    assert len(starts) == hours
    assert {b - a for a, b in pairwise(starts)} == {HOUR}  # type: ignore[operator]


def test_a_skipped_midnight_falls_on_the_clock_change() -> None:
    santiago = ZoneInfo("America/Santiago")
    began = midnight(date(2024, 9, 8), santiago)
    assert began == datetime(2024, 9, 8, 4, tzinfo=UTC)
    assert began.astimezone(santiago).hour == 1


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    period = Period(date(2035, 2, 28), date(2035, 3, 6))
    assert buckets(period, TrendUnit.WEEK, ZONES[0]) == [date(2035, 2, 26), date(2035, 3, 5)]
    assert buckets(period, TrendUnit.MONTH, ZONES[0]) == [date(2035, 2, 1), date(2035, 3, 1)]
    assert (period.last, period.days) == (date(2035, 3, 5), 6)


def test_the_step_fits_the_period() -> None:
    first = date(2035, 1, 1)
    steps = [fitting_step(Period(first, first + timedelta(days=n))) for n in (1, 7, 62, 90, 800)]
    assert steps == [TrendUnit.HOUR, TrendUnit.DAY, TrendUnit.DAY, TrendUnit.WEEK, TrendUnit.MONTH]


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        Period(date(2035, 1, 1), date(2035, 1, 1))
