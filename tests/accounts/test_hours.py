"""Opening hours: a table of moments, and properties that hold for any schedule."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.hours import Interval, Schedule, is_open, next_change, next_opening

PARIS = ZoneInfo("Europe/Paris")
BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def week(*intervals: tuple[int, str, str]) -> tuple[tuple[int, time, time], ...]:
    return tuple(
        (day, time.fromisoformat(opens), time.fromisoformat(closes))
        for day, opens, closes in intervals
    )


def day(on: str, *intervals: tuple[str, str]) -> tuple[date, tuple[Interval, ...]]:
    hours = tuple((time.fromisoformat(one), time.fromisoformat(two)) for one, two in intervals)
    return date.fromisoformat(on), hours


# 5 March 2035 is a Monday.
OFFICE = Schedule(PARIS, week((0, "09:00", "12:00"), (0, "14:00", "18:00"), (1, "09:00", "18:00")))
NIGHT = Schedule(PARIS, week((0, "22:00", "06:00")))
ROUND_THE_CLOCK = Schedule(PARIS, week(*((n, "00:00", "00:00") for n in range(7))))
ALWAYS = Schedule(PARIS)
HOLIDAY = Schedule(PARIS, OFFICE.weekly, (day("2035-03-06"),))
SHORT_DAY = Schedule(PARIS, OFFICE.weekly, (day("2035-03-06", ("10:00", "11:00")),))
ALWAYS_BUT = Schedule(PARIS, (), (day("2035-03-06"),))
NIGHT_BEFORE_HOLIDAY = Schedule(PARIS, NIGHT.weekly, (day("2035-03-06"),))
NEVER = Schedule(PARIS, (), tuple(day(str(date(2035, 1, 1) + n * DAY)) for n in range(900)))
GAP = Schedule(BERLIN, week((6, "02:30", "04:00")))  # 25 March 2035: 2:00 becomes 3:00
FOLD = Schedule(BERLIN, week((6, "02:30", "04:00")))  # 28 October 2035: 3:00 becomes 2:00
IN_GAP = Schedule(BERLIN, week((6, "02:15", "03:00")))


@pytest.mark.parametrize(
    ("schedule", "at", "opened", "change"),
    [
        (OFFICE, "2035-03-05T08:59", False, "2035-03-05T09:00"),
        (OFFICE, "2035-03-05T09:00", True, "2035-03-05T12:00"),
        (OFFICE, "2035-03-05T12:00", False, "2035-03-05T14:00"),
        (OFFICE, "2035-03-05T17:59", True, "2035-03-05T18:00"),
        (OFFICE, "2035-03-06T18:00", False, "2035-03-12T09:00"),  # across the weekend
        (NIGHT, "2035-03-05T22:00", True, "2035-03-06T06:00"),
        (NIGHT, "2035-03-06T05:59", True, "2035-03-06T06:00"),
        (NIGHT, "2035-03-06T06:00", False, "2035-03-12T22:00"),
        (NIGHT, "2035-03-05T05:00", False, "2035-03-05T22:00"),
        (ROUND_THE_CLOCK, "2035-03-05T00:00", True, None),
        (ALWAYS, "2035-03-05T03:00", True, None),
        (ALWAYS_BUT, "2035-03-05T03:00", True, "2035-03-06T00:00"),
        (ALWAYS_BUT, "2035-03-06T12:00", False, "2035-03-07T00:00"),
        (NEVER, "2035-03-06T12:00", False, None),
        (HOLIDAY, "2035-03-05T18:00", False, "2035-03-12T09:00"),
        (HOLIDAY, "2035-03-06T10:00", False, "2035-03-12T09:00"),
        (SHORT_DAY, "2035-03-06T09:30", False, "2035-03-06T10:00"),
        (SHORT_DAY, "2035-03-06T10:30", True, "2035-03-06T11:00"),
        # The holiday is a whole calendar day: the night shift ends at its midnight.
        (NIGHT_BEFORE_HOLIDAY, "2035-03-05T23:00", True, "2035-03-06T00:00"),
        (NIGHT_BEFORE_HOLIDAY, "2035-03-06T01:00", False, "2035-03-12T22:00"),
        # 2:30 is skipped: it opens at 3:30. Of two 2:30s the first opens, for two and a half hours.
        (GAP, "2035-03-25T01:59+01:00", False, "2035-03-25T03:30+02:00"),
        (FOLD, "2035-10-28T02:29+02:00", False, "2035-10-28T02:30+02:00"),
        (FOLD, "2035-10-28T02:10+01:00", True, "2035-10-28T04:00+01:00"),
        (IN_GAP, "2035-03-25T01:00+01:00", False, "2035-04-01T02:15+02:00"),  # nothing is left
    ],
)
def test_a_schedule_gives_its_opening_and_next_change(
    schedule: Schedule, at: str, opened: bool, change: str | None
) -> None:
    moment = datetime.fromisoformat(at)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=PARIS)
    expected = change and datetime.fromisoformat(change)
    if expected and not expected.tzinfo:
        expected = expected.replace(tzinfo=PARIS)
    assert is_open(schedule, moment) is opened
    assert next_change(schedule, moment) == expected
    assert next_opening(schedule, moment) == (moment if opened else expected)


def test_a_day_of_25_hours_is_open_for_25_hours() -> None:
    before = Schedule(BERLIN, week((6, "00:00", "00:00")))
    start = datetime(2035, 10, 28, tzinfo=BERLIN)
    assert next_change(before, start) == start.astimezone(UTC) + timedelta(hours=25)


TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
DATES = st.dates(date(2035, 3, 20), date(2035, 4, 10))
SCHEDULES = st.builds(
    Schedule,
    zone=ZONES.map(ZoneInfo),
    weekly=st.lists(st.tuples(st.integers(0, 6), TIMES, TIMES), max_size=8).map(tuple),
    special=st.dictionaries(
        DATES, st.lists(st.tuples(TIMES, TIMES), max_size=2).map(tuple), max_size=3
    ).map(lambda days: tuple(sorted(days.items()))),
)
MOMENTS = st.datetimes(datetime(2035, 3, 18), datetime(2035, 4, 12), timezones=st.just(UTC))


@settings(max_examples=300, deadline=None)
@given(SCHEDULES, MOMENTS)
def test_the_state_changes_exactly_at_the_next_change(schedule: Schedule, at: datetime) -> None:
    change = next_change(schedule, at)
    opened = is_open(schedule, at)
    if change is None:
        assert all(is_open(schedule, at + n * DAY / 4) is opened for n in range(200))
        return
    assert change > at
    assert is_open(schedule, change) is not opened
    assert is_open(schedule, change - timedelta(microseconds=1)) is opened
    for share in (0.1, 0.5, 0.9):
        assert is_open(schedule, at + (change - at) * share) is opened


@settings(max_examples=200, deadline=None)
@given(SCHEDULES, MOMENTS)
def test_open_moments_have_an_interval_that_day_or_the_day_before(
    schedule: Schedule, at: datetime
) -> None:
    local = at.astimezone(schedule.zone)
    intervals = schedule.intervals(local.date()) + schedule.intervals(local.date() - DAY)
    assert not is_open(schedule, at) or intervals
