"""Whole days of a report, and how they are split into hours, days, weeks and months.

Pure: no Django, no clock. A period is half-open: from the midnight that begins its first day up to,
but not including, the midnight that ends its last one, in the website's own time zone (C30). A day
of 23 or 25 hours is one day; when an hour occurs twice, each is an hour of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

HOUR = timedelta(hours=1)
QUARTER_DAY = timedelta(hours=6)
SECOND = timedelta(seconds=1)


class TrendUnit(StrEnum):
    """The unit of a trend."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` up to, but not including, ``end``."""

    first: date
    end: date

    def __post_init__(self) -> None:
        if self.first >= self.end:
            raise ValueError("a period must have at least one day")

    @property
    def last(self) -> date:
        """The last day of the period, as people write it."""
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.first).days

    @property
    def before(self) -> Period:
        """The period that it is compared with: as many days, directly before."""
        return Period(self.first - timedelta(days=self.days), self.first)

    def joined(self, other: Period) -> Period:
        """Return the period from the first day of both to the last one."""
        return Period(min(self.first, other.first), max(self.end, other.end))

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return its two midnights in ``zone``, as moments."""
        return midnight(self.first, zone), midnight(self.end, zone)

    def has(self, day: date) -> bool:
        return self.first <= day < self.end

    def holds(self, at: datetime, zone: tzinfo) -> bool:
        start, end = self.bounds(zone)
        return start <= at < end


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the moment at which ``day`` begins. Where a clock change skips midnight, that is the
    moment of the change; where midnight occurs twice, the first."""
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)


def start_of(step: TrendUnit, at: datetime, zone: tzinfo) -> date | datetime:
    """Return the bucket of a moment: the first day of its day, week (from Monday) or month, or the
    moment at which its hour begins."""
    local = at.astimezone(zone)
    if step is TrendUnit.HOUR:
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        # In UTC, because arithmetic on local times ignores clock changes.
        return at.astimezone(UTC) - past
    return _first_day(step, local.date())


def buckets(period: Period, step: TrendUnit, zone: tzinfo) -> list[date | datetime]:
    """Return all buckets that the period touches, in order. The first and the last may be
    partial."""
    if step is TrendUnit.HOUR:
        return list(hours_between(*period.bounds(zone), zone))
    days = (period.first + timedelta(days=n) for n in range(period.days))
    return list(dict.fromkeys(_first_day(step, day) for day in days))


def hours_between(start: datetime, end: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield the hours of a zone's clock that an interval touches, in order."""
    hour = start_of(TrendUnit.HOUR, start, zone)
    assert isinstance(hour, datetime)
    while hour < end:
        yield hour
        hour += HOUR


def _first_day(step: TrendUnit, day: date) -> date:
    if step is TrendUnit.WEEK:
        return day - timedelta(days=day.weekday())
    if step is TrendUnit.MONTH:
        return day.replace(day=1)
    return day


def offsets(period: Period, zone: tzinfo) -> list[tuple[datetime, int]]:
    """Return how many seconds local time is ahead of UTC, and since when: first at the beginning of
    the period, then at each clock change in it."""
    at, end = period.bounds(zone)
    changes = [(at, _ahead(at, zone))]
    while at < end:
        # No zone changes its clock twice within six hours.
        then = at + QUARTER_DAY
        if _ahead(then, zone) != changes[-1][1]:
            changes.append((_change(at, then, zone), _ahead(then, zone)))
        at = then
    return changes


def _ahead(at: datetime, zone: tzinfo) -> int:
    ahead = at.astimezone(zone).utcoffset()
    assert ahead is not None
    return round(ahead.total_seconds())


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Find the moment of the clock change between two moments, to the second, by bisection."""
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        if _ahead(middle, zone) == _ahead(after, zone):
            after = middle
        else:
            before = middle
    return after


def fitting_step(period: Period) -> TrendUnit:
    """Return the default step of a trend: one that gives about 7 to 60 points."""
    if period.days <= 2:
        return TrendUnit.HOUR
    if period.days <= 62:
        return TrendUnit.DAY
    return TrendUnit.WEEK if period.days <= 366 else TrendUnit.MONTH
