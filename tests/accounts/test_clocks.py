"""A clock with several zones over time: every moment has one local time, and days are
consecutive."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.clocks import Clock, clock_of
from accounts.models import Change, Website
from reporting.figures.period import Period, midnight, offsets
from tests.factories import WebsiteFactory

ZONES = [
    "Europe/Paris",
    "America/New_York",
    "Pacific/Auckland",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
]
START = datetime(2025, 3, 1, tzinfo=UTC)
moments = st.integers(0, 400 * 24 * 4).map(lambda n: START + n * timedelta(minutes=15))
zones = st.sampled_from(ZONES).map(ZoneInfo)


@st.composite
def clocks(draw: st.DrawFn) -> Clock:
    untils = sorted(set(draw(st.lists(moments, min_size=1, max_size=3))))
    return Clock(tuple((until, draw(zones)) for until in untils), draw(zones))


@given(clock=clocks(), at=moments)
def test_a_moment_is_shown_in_the_zone_of_its_time(clock: Clock, at: datetime) -> None:
    shown = at.astimezone(clock)
    assert shown.replace(tzinfo=None) == at.astimezone(clock.zone_at(at)).replace(tzinfo=None)


@given(clock=clocks(), first=st.integers(0, 380))
def test_days_are_consecutive(clock: Clock, first: int) -> None:
    days = [date(2025, 3, 3) + timedelta(days=first + n) for n in range(10)]
    begins = [midnight(day, clock) for day in days]
    assert all(one <= other for one, other in pairwise(begins))
    assert begins[-1] - begins[0] >= timedelta(days=7)


@given(clock=clocks(), first=st.integers(0, 380))
def test_a_zone_change_leaves_earlier_days_unchanged(clock: Clock, first: int) -> None:
    day = date(2025, 3, 3) + timedelta(days=first)
    until, zone = clock.past[0]
    if midnight(day, zone) < until:
        assert midnight(day, clock) == midnight(day, zone)


def test_a_skipped_midnight_is_the_moment_of_the_change() -> None:
    until = datetime(2025, 6, 10, 20, tzinfo=UTC)  # 22:00 in Paris, 8:00 of the 11th in Auckland
    clock = Clock(((until, ZoneInfo("Europe/Paris")),), ZoneInfo("Pacific/Auckland"))
    assert midnight(date(2025, 6, 11), clock) == until
    assert [at for at, _ahead in offsets(Period(date(2025, 6, 9), date(2025, 6, 13)), clock)][
        1
    ] == until


def test_a_website_without_past_zones_uses_its_zone() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert clock_of(paris, []) is paris
    assert clock_of(paris, [{"until": START.isoformat(), "zone": "Europe/Paris"}]) is paris


@pytest.mark.django_db
def test_the_database_records_past_zones() -> None:
    website = WebsiteFactory(time_zone="Europe/Paris")
    Website.objects.filter(pk=website.pk).update(time_zone="UTC")
    Website.objects.filter(pk=website.pk).update(name="Other")
    website.refresh_from_db()
    website.time_zone = "Asia/Kathmandu"
    website.save()
    website.refresh_from_db()
    assert [one["zone"] for one in website.past_zones] == ["Europe/Paris", "UTC"]
    recorded = Change.objects.filter(model="accounts.website", object_id=website.pk, kind="UPDATE")
    assert not any("past_zones" in change.after for change in recorded)
