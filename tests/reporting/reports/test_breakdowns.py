"""Breakdowns by outcome."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from accounts.models import Agent
from accounts.supervision import EVERYTHING
from conversations.lifecycle import actors, deadlines, verbs
from conversations.messages import sending
from conversations.models import Author, Conversation
from reporting.figures.period import Period
from reporting.figures.scope import Scope
from reporting.reports import breakdowns
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, on_desk

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def snoozed(step: RuleStep, agent: Agent, *, auto_close: bool = False) -> Conversation:
    actor = actors.agent(agent.user)
    return verbs.snooze(
        on_desk(step, agent).pk,
        until=NOW + HOUR,
        keep=False,
        auto_close=auto_close,
        actor=actor,
        at=NOW,
    )


def test_snoozes_are_counted_by_how_they_ended() -> None:
    step, agent = StepFactory(), AgentFactory()
    step.group.members.add(agent)
    answered, woken, late, over, _sleeps = [
        snoozed(step, agent, auto_close=number == 3) for number in range(5)
    ]
    sending.add(answered.pk, author=Author.VISITOR, body="…", client_id=uuid.uuid4(), at=NOW)
    verbs.wake(woken.pk, actor=actors.agent(agent.user), at=NOW)
    for one in (late, over):
        deadlines.enforce(one.pk, at=NOW + HOUR)
    scope = Scope((step.rule.website,), Period(NOW.date(), NOW.date() + DAY), supervised=EVERYTHING)
    expected = {str(breakdowns.SNOOZE_ENDS[key]): 1 for key in breakdowns.SNOOZE_ENDS}
    parts = breakdowns.snooze_ends(scope)
    assert {str(part.name): part.n for part in parts} == expected
    assert {part.share for part in parts} == {20.0}
    statuses = Conversation.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["queued", "queued", "queued", "closed", "snoozed"]
