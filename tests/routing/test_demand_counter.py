"""Page views and refused messages are counted per hour and rule."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache

from routing import demand_counter
from routing.models import HourlyDemand, RuleStep
from tests.clock import NOW
from tests.factories import StepFactory

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory()


def hours(step: RuleStep) -> list[tuple[int, int, int]]:
    rows = HourlyDemand.objects.filter(rule=step.rule).order_by("hour")
    return list(rows.values_list("pages_engaged", "pages_refused", "messages_refused"))


def test_a_visitor_counts_once_per_hour_and_rule(step: RuleStep) -> None:
    other = StepFactory()
    for minute in range(3):
        demand_counter.refuse_message(step.rule_id, 1, at=NOW + minute * MINUTE)
    demand_counter.refuse_message(step.rule_id, 2, at=NOW + 59 * MINUTE)
    demand_counter.refuse_message(other.rule_id, 1, at=NOW)
    assert hours(step) == [(0, 0, 2)]
    assert hours(other) == [(0, 0, 1)]


def test_page_counts_are_written_per_hour(step: RuleStep) -> None:
    pages = demand_counter.Pages()
    for minute, is_engaged in ((0, True), (1, True), (59, False), (60, False)):
        pages.count(step.rule_id, is_engaged=is_engaged, at=NOW + minute * MINUTE)
    assert hours(step) == []
    pages.write()
    pages.write()
    assert hours(step) == [(2, 1, 0), (0, 1, 0)]
    pages.count(step.rule_id, is_engaged=True, at=NOW)
    pages.write()
    assert hours(step) == [(3, 1, 0), (0, 1, 0)]


def test_demand_for_a_deleted_rule_is_dropped(step: RuleStep) -> None:
    demand_counter.add(step.rule_id + 1, at=NOW, messages_refused=1)
    assert not HourlyDemand.objects.exists()
