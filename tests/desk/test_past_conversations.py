"""Past conversations in the toolbar: returns from snoozes (R135) and releases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Agent, User
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.actors import SYSTEM, VISITOR, Actor
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from desk.past_conversations import Past, pasts_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import in_status, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
HOUR = timedelta(hours=1)


def woken(step: RuleStep, agent: Agent, by: Actor) -> Conversation:
    conversation = in_status(Status.SNOOZED, step, agent)
    return verbs.wake(conversation.pk, actor=by, at=NOW + HOUR)


def test_reason_for_return_from_snooze_is_shown(
    browser: Callable[[User], Client], step: RuleStep, agent: Agent
) -> None:
    for by, sentence in (
        (VISITOR, "Snooze ended: the visitor replied"),
        (SYSTEM, "Snooze expired"),
        (actors.agent(agent.user), "Snooze ended by Alice"),
    ):
        number = woken(step, agent, by).pk
        shown = browser(agent.user).get(f"/desk/c/{number}/toolbar/").content.decode()
        assert sentence in shown


def test_past_conversations_are_counted_in_one_query(
    browser: Callable[[User], Client],
    step: RuleStep,
    agent: Agent,
    django_assert_num_queries: Any,
) -> None:
    first, second = woken(step, agent, VISITOR), in_status(Status.SNOOZED, step, agent)
    second.visitor = first.visitor
    second.save()
    released, plain = on_desk(step, agent), on_desk(step, agent)
    verbs.release(released.pk, actor=SYSTEM, at=NOW + HOUR)
    verbs.push(released.pk, agent=agent, at=NOW + HOUR)
    verbs.requeue(released.pk, at=NOW + 2 * HOUR)
    shown = browser(agent.user).get(f"/desk/c/{second.pk}/toolbar/").content.decode()
    assert "snoozed once" in shown
    with django_assert_num_queries(1):
        pasts = pasts_of([first.pk, released.pk, plain.pk])
    assert pasts == {first.pk: Past(snoozes=1), released.pk: Past(releases=2)}
