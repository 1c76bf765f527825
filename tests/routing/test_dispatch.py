"""Every event that adds capacity, or makes a conversation wait, triggers a drain at once (B1)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import Agent, AgentChannel, Channel
from conversations.lifecycle import actors, deadlines, verbs
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, Style
from routing import changes, invariants, presence
from routing.actions import assignment, by_agent
from routing.models import DeskConnection, RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, connect, in_status, on_desk, queued

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock", "durable_wires"),
]

HOUR = timedelta(hours=1)


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=10)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    """Connected, with one slot."""
    agent = AgentFactory(slots=1)
    step.group.members.add(agent)
    connect(agent)
    return agent


def close(held: Conversation, agent: Agent) -> None:
    by_agent.finish(held.pk, user=agent.user, at=NOW)


def snooze(held: Conversation, agent: Agent) -> None:
    by_agent.snooze(held.pk, user=agent.user, until=NOW + HOUR, keep=True, auto_close=True, at=NOW)


def pending(held: Conversation, agent: Agent) -> None:
    by_agent.set_pending(held.pk, user=agent.user, at=NOW)


def on_hold(held: Conversation, agent: Agent) -> None:
    by_agent.set_on_hold(held.pk, user=agent.user, at=NOW)


def solve(held: Conversation, agent: Agent) -> None:
    verbs.solve(held.pk, actor=actors.agent(agent.user), at=NOW)


def transfer(held: Conversation, agent: Agent) -> None:
    colleague = AgentFactory()
    assert held.group is not None
    held.group.members.add(colleague)
    by_agent.transfer(held.pk, user=agent.user, to=colleague, at=NOW)


def raise_slots(held: Conversation, agent: Agent) -> None:
    with transaction.atomic():
        AgentChannel.objects.filter(agent=agent).update(slots=2)
        changes.agent_changed(agent.pk)


@pytest.mark.parametrize("freeing", [close, snooze, pending, on_hold, solve, transfer, raise_slots])
def test_a_freed_slot_takes_the_next_waiting_conversation(
    freeing: Callable[[Conversation, Agent], None], step: RuleStep, agent: Agent
) -> None:
    with transaction.atomic():
        held = on_desk(step, agent, style=Style.LIVE)
    waiting = queued(step)
    waiting.refresh_from_db()
    assert waiting.status == Status.QUEUED
    freeing(held, agent)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.agent_id) == (Status.ACTIVE, agent.pk)


COMING: dict[str, tuple[Callable[[RuleStep, Agent], object], Callable[[RuleStep, Agent], object]]]
COMING = {
    "they connect": (
        lambda step, agent: DeskConnection.objects.all().delete(),
        lambda step, agent: presence.connect(agent.pk, uuid.uuid4(), at=NOW),
    ),
    "they become available": (
        lambda step, agent: presence.set_available(agent.pk, Channel.CHAT, False, at=NOW),
        lambda step, agent: presence.set_available(agent.pk, Channel.CHAT, True, at=NOW),
    ),
    "their connection is back": (
        lambda step, agent: DeskConnection.objects.update(heard_at=NOW - HOUR),
        lambda step, agent: presence.record_heartbeat(DeskConnection.objects.get().pk, at=NOW),
    ),
    "they join the group": (
        lambda step, agent: step.group.members.clear(),
        lambda step, agent: _join(step, agent),
    ),
}


def _join(step: RuleStep, agent: Agent) -> None:
    with transaction.atomic():
        step.group.members.add(agent)
        changes.group_changed(step.group_id)


@pytest.mark.parametrize("event", COMING)
def test_an_agent_who_becomes_able_gets_a_waiting_conversation(
    event: str, step: RuleStep, agent: Agent
) -> None:
    away, comes = COMING[event]
    away(step, agent)
    waiting = queued(step)
    waiting.refresh_from_db()
    assert waiting.status == Status.QUEUED
    comes(step, agent)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.agent_id) == (Status.ACTIVE, agent.pk)


Begin = Callable[[RuleStep, Agent, Agent], Conversation]
Event = Callable[[int, RuleStep, Agent], object]
WAITING: dict[str, tuple[Begin, Event]] = {
    "it is transferred to them": (
        lambda step, agent, other: on_desk(step, other),
        lambda number, step, agent: verbs.transfer_to_agent(
            number, agent=agent, actor=actors.SYSTEM, at=NOW
        ),
    ),
    "it is transferred to their group": (
        lambda step, agent, other: on_desk(step, other),
        lambda number, step, agent: assignment.transfer_to_group(
            number, group=step.group, actor=actors.SYSTEM, at=NOW
        ),
    ),
    "it is released": (
        lambda step, agent, other: on_desk(step, other),
        lambda number, step, agent: assignment.release(number, actor=actors.SYSTEM, at=NOW),
    ),
    "its assignment expires": (
        lambda step, agent, other: in_status(Status.ASSIGNED, step, other, at=NOW - 24 * HOUR),
        lambda number, step, agent: deadlines.enforce(number, at=NOW),
    ),
    "left to the team it wakes": (
        lambda step, agent, other: in_status(Status.SNOOZED, step, other, keep=False),
        lambda number, step, agent: verbs.wake(number, actor=actors.VISITOR, at=NOW),
    ),
    "kept by them it wakes": (
        lambda step, agent, other: in_status(Status.SNOOZED, step, agent),
        lambda number, step, agent: verbs.wake(number, actor=actors.VISITOR, at=NOW),
    ),
    "it reopens": (
        lambda step, agent, other: in_status(Status.SOLVED, step, agent),
        lambda number, step, agent: verbs.reopen(number, actor=actors.VISITOR, at=NOW),
    ),
}


@pytest.mark.parametrize("event", WAITING)
def test_a_conversation_that_starts_to_wait_reaches_a_free_agent(
    event: str, step: RuleStep, agent: Agent
) -> None:
    other = AgentFactory(available=False)
    step.group.members.add(other)
    begin, happen = WAITING[event]
    with transaction.atomic():  # in one transaction, so that nobody takes it in between
        conversation = begin(step, agent, other)
    happen(conversation.pk, step, agent)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.ACTIVE, agent.pk)
    assert list(invariants.findings(at=NOW, patience=timedelta(0))) == []


def test_a_new_conversation_reaches_a_free_agent(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.ACTIVE, agent.pk)
