"""Opening hours of a group: weekly hours in a time zone, and special days (B19).

Pure: no Django, no clock. An interval belongs to the day on which it opens. One that closes at or
before its opening time ends on the next day (22:00 to 6:00; 0:00 to 0:00 is the whole day). A
special day is a whole civil day: an interval of the day before ends at its midnight. A wall time
that a change of clocks skips is taken an hour later (2:30 is 3:30); of one that occurs twice, the
first counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import combinations

HORIZON = 400  # days; more than a year, for groups that open once a year
MIDNIGHT = time(0)
DAY_SECONDS = 86400
WEEK_SECONDS = 7 * DAY_SECONDS

Interval = tuple[time, time]
Opening = tuple[int, time, time]  # weekday (Monday is 0), opens, closes
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The hours of one group. ``weekly`` holds (weekday, opens, closes) with Monday as 0; empty
    means always open. ``special`` days replace them; a special day without hours is closed."""

    zone: tzinfo
    weekly: tuple[Opening, ...] = ()
    special: tuple[tuple[date, tuple[Interval, ...]], ...] = ()

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """Return the intervals that open on a day, in wall time."""
        for other, hours in self.special:
            if other == day:
                return hours
        if not self.weekly:
            return ((MIDNIGHT, MIDNIGHT),)
        return tuple((opens, closes) for on, opens, closes in self.weekly if on == day.weekday())


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Return whether the group is open at ``at``: open at the opening time, closed at the closing
    time."""
    return any(start <= at < end for start, end in _spans(schedule, at, days=1))


def next_change(schedule: Schedule, at: datetime) -> datetime | None:
    """Return the first moment after ``at`` at which the group closes or opens, or None if there is
    none within ``HORIZON``."""
    for start, end in _spans(schedule, at, days=HORIZON):
        if start > at:
            return start
        if end > at:
            # The last span is cut by the end of the search: that is no closing.
            return end if end < at + timedelta(days=HORIZON - 2) else None
    return None


def next_opening(schedule: Schedule, at: datetime) -> datetime | None:
    """Return the first moment from ``at`` on at which the group is open, or None if there is none
    within ``HORIZON``."""
    return at if is_open(schedule, at) else next_change(schedule, at)


def open_spans(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Span]:
    """Yield the open spans from ``start`` to ``end``, in order, cut at both."""
    days = (end - start).days + 2
    for opens, closes in _spans(schedule, start, days=days):
        if opens >= end:
            return
        yield max(opens, start), min(closes, end)


def open_seconds(schedule: Schedule, start: datetime, end: datetime) -> float:
    """Return the open seconds from ``start`` to ``end``, or 0 if ``end`` comes first."""
    spans = open_spans(schedule, start, end) if start < end else ()
    return sum((closes - opens).total_seconds() for opens, closes in spans)


def overlaps(weekly: Sequence[Opening]) -> Iterator[tuple[Opening, Opening]]:
    """Yield the pairs whose second interval opens while the first is open, also from Sunday night
    into Monday. Intervals that only touch do not overlap."""
    for one, other in combinations(sorted(weekly), 2):
        if _opens_during(one, other):
            yield one, other
        elif _opens_during(other, one):
            yield other, one


def _opens_during(one: Opening, other: Opening) -> bool:
    """Return whether ``other`` opens while ``one`` is open, in a week without a change of
    clocks."""
    length = (_seconds(one[2]) - _seconds(one[1])) % DAY_SECONDS or DAY_SECONDS
    days = (other[0] - one[0]) * DAY_SECONDS
    return (days + _seconds(other[1]) - _seconds(one[1])) % WEEK_SECONDS < length


def _seconds(wall: time) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second


def _spans(schedule: Schedule, at: datetime, *, days: int) -> Iterator[Span]:
    """Yield open spans in UTC that end after ``at``, in order. Spans that touch are merged."""
    today = at.astimezone(schedule.zone).date()
    held: Span | None = None
    # From the day before, whose last interval may pass midnight.
    for offset in range(-1, days + 1):
        for start, end in _of_day(schedule, today + timedelta(days=offset)):
            if held is not None and start <= held[1]:
                held = (held[0], max(held[1], end))
                continue
            if held is not None and held[1] > at:
                yield held
            held = (start, end)
    if held is not None and held[1] > at:
        yield held


def _of_day(schedule: Schedule, day: date) -> list[Span]:
    tomorrow = day + timedelta(days=1)
    is_cut = any(other == tomorrow for other, _ in schedule.special)
    spans = []
    for opens, closes in schedule.intervals(day):
        start = _moment(schedule, day, opens)
        end = _moment(schedule, tomorrow if closes <= opens else day, closes)
        if is_cut:
            end = min(end, _moment(schedule, tomorrow, MIDNIGHT))
        if start < end:
            spans.append((start, end))
    return sorted(spans)


def _moment(schedule: Schedule, day: date, wall: time) -> datetime:
    return datetime.combine(day, wall.replace(fold=0), tzinfo=schedule.zone).astimezone(UTC)
