"""What one reads first: how a conversation came back from its snoozes (R135)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Agent, User
from conversations import actors, lifecycle
from conversations.actors import SYSTEM, VISITOR, Actor
from conversations.models import Conversation
from conversations.transitions import Status
from desk.past import pauses_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import in_status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
HOUR = timedelta(hours=1)


def woken(step: RuleStep, agent: Agent, by: Actor) -> Conversation:
    conversation = in_status(Status.SNOOZED, step, agent)
    return lifecycle.wake(conversation.pk, actor=by, at=NOW + HOUR)


def test_how_it_came_back_is_told(
    browser: Callable[[User], Client], step: RuleStep, agent: Agent
) -> None:
    for by, sentence in (
        (VISITOR, "the visitor replied"),
        (SYSTEM, "the time was over"),
        (actors.agent(agent.user), "woken by hand"),
    ):
        number = woken(step, agent, by).pk
        [pause] = pauses_of([number])[number]
        assert (pause.begun_at, pause.back_at, pause.by) == (NOW, NOW + HOUR, "Alice")
        shown = browser(agent.user).get(f"/desk/c/{number}/toolbar/").content.decode()
        assert f"Back from snooze: {sentence}" in shown


def test_one_that_lasts_and_past_ones_are_told_too(
    browser: Callable[[User], Client],
    step: RuleStep,
    agent: Agent,
    django_assert_num_queries: Any,
) -> None:
    first, second = woken(step, agent, VISITOR), in_status(Status.SNOOZED, step, agent)
    second.visitor = first.visitor
    second.save()
    assert pauses_of([second.pk])[second.pk][0].back_at is None
    shown = browser(agent.user).get(f"/desk/c/{second.pk}/toolbar/").content.decode()
    assert "snoozed once" in shown
    with django_assert_num_queries(2):
        pauses_of([first.pk, second.pk])
