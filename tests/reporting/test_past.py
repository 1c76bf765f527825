"""A report's figures of a past day stay, whatever is changed later (C57)."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta

import pytest
from django.db import connection

from accounts.models import Agent, OpeningHours, Role, User
from accounts.supervision import EVERYTHING
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.consistency import differences, windows
from conversations.messages import sending
from conversations.models import Author, CloseReason, Conversation
from reporting.figures import FIGURES, answers
from reporting.figures.period import Period
from reporting.figures.scope import Scope
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, on_desk

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(rule__website__time_zone="UTC")


def value(step: RuleStep, name: str) -> float | int | None:
    """Return a figure of the day of NOW."""
    today = Period(NOW.date(), NOW.date() + timedelta(days=1))
    scope = Scope((step.rule.website,), today, supervised=EVERYTHING)
    return answers.total([FIGURES[name]], scope)[name].value


def closed_by(step: RuleStep, agent: Agent, *, at: datetime = NOW) -> Conversation:
    """Create a conversation answered after an hour, closed after three."""
    agent.groups.add(step.group)
    one = on_desk(step, agent, at=at)
    sending.add(one.pk, author=Author.AGENT, body="Voilà", client_id=uuid.uuid4(), at=at + HOUR)
    return verbs.close(
        one.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=at + 3 * HOUR
    )


def role_of(agent: Agent, role: Role) -> None:
    User.objects.filter(pk=agent.user_id).update(role=role)


def test_becoming_a_manager_does_not_change_an_experts_past_pay(step: RuleStep) -> None:
    expert = AgentFactory(user__role=Role.EXPERT)
    closed_by(step, expert)
    assert value(step, "paid") == 1
    role_of(expert, Role.MANAGER)
    assert value(step, "paid") == 1
    closed_by(step, expert)
    assert value(step, "paid") == 1


def test_a_new_expert_is_not_paid_for_earlier_conversations(step: RuleStep) -> None:
    agent = AgentFactory()
    closed_by(step, agent)
    role_of(agent, Role.EXPERT)
    assert value(step, "paid") == 0
    closed_by(step, agent)
    assert value(step, "paid") == 1


def test_an_old_closure_takes_the_role_from_the_recorded_changes(step: RuleStep) -> None:
    """A closure's line from before C57 has no role, but the triggers recorded the change."""
    expert, agent = AgentFactory(user__role=Role.EXPERT), AgentFactory()
    long_ago = NOW - timedelta(days=9000)
    numbers = [closed_by(step, closer, at=long_ago).pk for closer in (expert, agent)]
    role_of(expert, Role.MANAGER)
    role_of(agent, Role.EXPERT)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE conversations_event DISABLE TRIGGER conversations_event_stands")
        cursor.execute(
            "UPDATE conversations_event SET data = data - 'payee_role' WHERE verb = 'close'"
        )
        cursor.execute("ALTER TABLE conversations_event ENABLE TRIGGER conversations_event_stands")
    mine = Conversation.objects.filter(pk__in=numbers)
    assert list(mine.order_by("pk").values_list("payee_role", flat=True)) == ["expert", "agent"]
    assert [one for window in windows() for one in differences(*window)] == []


@pytest.fixture
def mornings(step: RuleStep) -> None:
    """Open from 9 to 13 each day; NOW is a Monday at ten."""
    for weekday in range(7):
        OpeningHours.objects.create(
            group=step.group, weekday=weekday, opens=time(9), closes=time(13)
        )


@pytest.mark.usefixtures("mornings")
def test_times_in_opening_hours_are_fixed_at_the_closure(step: RuleStep) -> None:
    agent, at = AgentFactory(), datetime.combine(NOW.date(), time(12, 30), tzinfo=NOW.tzinfo)
    closed_by(step, agent, at=at)
    names = ("first_response_open", "resolution_open", "first_response", "resolution")
    then = [1800.0, 1800.0, 3600.0, 10800.0]
    assert [value(step, name) for name in names] == then
    OpeningHours.objects.update(opens=time(0), closes=time(0))
    assert [value(step, name) for name in names] == then
    step.group.opening_hours.all().delete()
    assert [value(step, name) for name in names] == then
