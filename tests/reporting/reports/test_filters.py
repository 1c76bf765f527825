"""Named periods, chips of filters, and what can be compared with the period before."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils.translation import override

from accounts.models import Role, User
from conversations.models import Conversation
from desk.search_form import SearchForm
from reporting import figures
from reporting.board.views import Looking
from reporting.reports import comparison
from reporting.reports.filters import Choices, chosen
from routing.models import RuleStep
from tests.factories import StepFactory, UserFactory, VisitorFactory, queued

# A Wednesday, at noon in Paris.
AT = datetime(2035, 3, 7, 11, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def step() -> RuleStep:
    row: RuleStep = StepFactory()
    return row


@pytest.fixture
def boss() -> User:
    user: User = UserFactory(role=Role.ADMIN)
    return user


def asked(boss: User, query: str) -> Any:
    return chosen(Choices(QueryDict(query), user=boss, at=AT))


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("", date(2035, 3, 1), date(2035, 3, 7)),
        ("today", date(2035, 3, 7), date(2035, 3, 7)),
        ("yesterday", date(2035, 3, 6), date(2035, 3, 6)),
        ("week", date(2035, 3, 5), date(2035, 3, 7)),
        ("last_week", date(2035, 2, 26), date(2035, 3, 4)),
        ("month", date(2035, 3, 1), date(2035, 3, 7)),
        ("last_month", date(2035, 2, 1), date(2035, 2, 28)),
        ("90", date(2034, 12, 8), date(2035, 3, 7)),
        ("year", date(2035, 1, 1), date(2035, 3, 7)),
        ("last_year", date(2034, 1, 1), date(2034, 12, 31)),
    ],
)
def test_named_periods_have_their_dates(
    boss: User, step: RuleStep, name: str, first: date, last: date
) -> None:
    period = asked(boss, f"period={name}").scope.period
    assert (period.first, period.last) == (first, last)


def test_the_period_defaults_to_the_last_seven_days(boss: User, step: RuleStep) -> None:
    """Without a period the last seven days are counted, and the field says so."""
    form = Choices(QueryDict(""), user=boss, at=AT)
    assert form["period"].value() == "7"
    assert '<option value="7" selected>' in str(form["period"])


def test_each_active_filter_has_a_chip_that_removes_it(boss: User, step: RuleStep) -> None:
    query = f"period=30&group={step.group_id}&language=fr&step="
    form = Choices(QueryDict(query), user=boss, at=AT)
    group, language = form.chips()
    assert (group.label, group.text) == ("Group", str(step.group))
    assert group.query_without == "period=30&language=fr"
    assert (language.text, language.query_without) == (
        "French",
        f"period=30&group={step.group_id}",
    )
    assert Choices(QueryDict("period=30"), user=boss, at=AT).chips() == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_filter_has_its_own_label_for_all(boss: User, step: RuleStep, language: str) -> None:
    """Filters stand side by side, on the board, above a report and above a search."""
    with override(language):
        forms = (
            Choices(QueryDict(""), user=boss, at=AT),
            Looking(QueryDict(""), user=boss),
            SearchForm(QueryDict(""), user=boss),
        )
        for form in forms:
            whole = [
                str(dict(field.choices)[""])
                for name, field in form.fields.items()
                if name != "step" and hasattr(field, "choices") and "" in dict(field.choices)
            ]
            assert len(set(whole)) == len(whole) >= 2
            assert all(re.fullmatch(r"(All|Tous les|Toutes les) \w+", text) for text in whole)


def compared(boss: User, query: str, name: str) -> bool:
    return comparison.of(asked(boss, query).scope).holds_for(figures.FIGURES[name])


def begin(step: RuleStep, days: int) -> None:
    conversation = queued(step, visitor=VisitorFactory(website=step.rule.website))
    opened_at = AT - timedelta(days=days)
    Conversation.objects.filter(pk=conversation.pk).update(opened_at=opened_at)


def test_a_previous_period_without_full_history_is_not_compared(boss: User, step: RuleStep) -> None:
    assert not compared(boss, "period=last_week", "opened")
    begin(step, days=12)  # in the middle of the week before
    assert not compared(boss, "period=last_week", "opened")
    assert not compared(boss, "period=last_week", "csat")
    begin(step, days=20)
    assert compared(boss, "period=last_week", "opened")


def test_counts_are_compared_only_for_complete_periods(boss: User, step: RuleStep) -> None:
    begin(step, days=800)
    assert not compared(boss, "period=today", "opened")  # half of the day is to come
    assert compared(boss, "period=today", "csat")
    assert compared(boss, "period=yesterday", "opened")
    assert not compared(boss, "period=week", "opened")
    assert compared(boss, "period=30", "opened")


def test_the_page_names_the_period_of_comparison(boss: User, step: RuleStep) -> None:
    browser = Client()
    browser.force_login(boss)
    page = browser.get("/reports/experience/?period=last_week").content.decode()
    assert "No comparison: the history does not cover all of the previous period." in page
    begin(step, days=5000)
    page = browser.get("/reports/experience/?period=last_week").content.decode()
    assert "Compared with the previous 7 days, " in page
