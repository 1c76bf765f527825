"""An agent can undo their last action on a conversation of their desk (C71)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts.models import Agent, Skill, SkillKind
from conversations.lifecycle import actors, consistency, ledger, verbs
from conversations.lifecycle.transitions import Refused, Status
from conversations.models import Contact, Conversation, Event, Style
from routing import dispatch
from routing.actions import by_agent, undo
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, connect, on_desk, queued

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
SOON = NOW + timedelta(seconds=20)
Act = Callable[[Conversation, Agent], Conversation]


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


def now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def snooze(conversation: Conversation, agent: Agent, *, keep: bool = False) -> Conversation:
    until = NOW + timedelta(hours=3)
    return by_agent.snooze(
        conversation.pk, user=agent.user, until=until, keep=keep, auto_close=True, at=NOW
    )


def hand_over(conversation: Conversation, agent: Agent) -> Conversation:
    other = AgentFactory()
    conversation.group.members.add(other)
    return by_agent.transfer(conversation.pk, user=agent.user, to=other, at=NOW)


def send_away(conversation: Conversation, agent: Agent) -> Conversation:
    """Transfer to a team that the agent is not in."""
    other = StepFactory(rule=conversation.queue.rule).group
    return by_agent.transfer(conversation.pk, user=agent.user, to=other, at=NOW)


ACTS: dict[str, Act] = {
    "snoozed for the team": snooze,
    "snoozed and kept": lambda c, a: snooze(c, a, keep=True),
    "handed to a colleague": hand_over,
    "sent to another team": send_away,
    "pending": lambda c, a: by_agent.set_pending(c.pk, user=a.user, at=NOW),
    "on hold": lambda c, a: by_agent.set_on_hold(c.pk, user=a.user, at=NOW),
    "solved": lambda c, a: by_agent.finish(c.pk, user=a.user, at=NOW),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_undo_writes_its_own_ledger_lines(step: RuleStep, agent: Agent, act: Act) -> None:
    conversation = on_desk(step, agent, style=Style.SOCIAL, solved_window=timedelta(days=1))
    act(conversation, agent)
    undo.take_back(conversation.pk, user=agent.user, at=SOON)
    back = now(conversation)
    assert (back.status, back.agent, back.group, back.queue) == (
        Status.ACTIVE,
        agent,
        step.group,
        step,
    )
    assert back.deadline_at is None
    lines = Event.objects.filter(conversation=conversation).order_by("-id")
    assert list(lines.values_list("verb", flat=True)[:2]) == ["take", "take_back"]
    contact = Contact.objects.get(conversation=conversation, ended_at=None)
    assert contact.queued_at == contact.began_to_wait_at == contact.started_at  # it never waited
    assert list(ledger.verify(Conversation.objects.all())) == []
    assert list(consistency.differences(0, conversation.pk + 1)) == []


def test_undo_may_exceed_the_slots(step: RuleStep, agent: Agent) -> None:
    agent.channels.update(slots=1)
    conversation = on_desk(step, agent)
    send_away(conversation, agent)
    other = on_desk(step, agent)  # the slot was given to another conversation at once
    undo.take_back(conversation.pk, user=agent.user, at=SOON)
    assert {now(conversation).status, now(other).status} == {Status.ACTIVE}


def test_undoing_a_transfer_restores_required_skills(step: RuleStep, agent: Agent) -> None:
    topic = Skill.objects.create(website=step.group.website, name="x", kind=SkillKind.TOPIC)
    conversation = on_desk(step, agent)
    Conversation.objects.filter(pk=conversation.pk).update(required_skills=[topic.pk])
    send_away(conversation, agent)
    assert now(conversation).required_skills == []
    undo.take_back(conversation.pk, user=agent.user, at=SOON)
    assert now(conversation).required_skills == [topic.pk]


@pytest.mark.parametrize("act", [hand_over, send_away])
def test_undo_makes_the_conversation_live_again(step: RuleStep, agent: Agent, act: Act) -> None:
    conversation = on_desk(step, agent, is_asynchronous=False)
    act(conversation, agent)
    assert now(conversation).is_asynchronous  # C53
    undo.take_back(conversation.pk, user=agent.user, at=SOON)
    assert not now(conversation).is_asynchronous


def test_undo_is_refused_once_a_colleague_has_the_conversation(
    step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    hand_over(conversation, agent)
    colleague = now(conversation).agent
    assert colleague is not None
    connect(colleague)
    dispatch.drain_agent(agent_id=colleague.pk)
    assert now(conversation).status == Status.ACTIVE
    with pytest.raises(Refused):
        undo.take_back(conversation.pk, user=agent.user, at=SOON)
    assert now(conversation).agent == colleague


def wake(conversation: Conversation) -> None:
    verbs.wake(conversation.pk, actor=actors.VISITOR, at=SOON)


def test_undo_is_refused_once_the_conversation_woke(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    snooze(conversation, agent)
    wake(conversation)
    with pytest.raises(Refused):
        undo.take_back(conversation.pk, user=agent.user, at=SOON)


@pytest.mark.parametrize(
    ("at", "is_possible"),
    [
        (NOW + undo.WINDOW, True),
        (NOW + undo.WINDOW + timedelta(seconds=1), False),
    ],
)
def test_undo_has_a_time_limit(
    step: RuleStep, agent: Agent, at: datetime, is_possible: bool
) -> None:
    conversation = on_desk(step, agent)
    snooze(conversation, agent)
    assert (undo.last_act(conversation.pk, user=agent.user, at=at) is not None) == is_possible


def test_a_colleague_cannot_undo(step: RuleStep, agent: Agent) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    conversation = on_desk(step, agent)
    snooze(conversation, agent)
    assert undo.last_act(conversation.pk, user=colleague.user, at=SOON) is None
    with pytest.raises(Refused):
        undo.take_back(conversation.pk, user=colleague.user, at=SOON)


def test_a_transfer_from_the_queue_cannot_be_undone(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    verbs.transfer_to_agent(conversation.pk, agent=agent, actor=actors.manager(agent.user), at=NOW)
    assert undo.last_act(conversation.pk, user=agent.user, at=SOON) is None


def test_closing_cannot_be_undone(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent, style=Style.LIVE)
    by_agent.finish(conversation.pk, user=agent.user, at=NOW)
    assert undo.last_act(conversation.pk, user=agent.user, at=SOON) is None
    with pytest.raises(Refused):
        undo.take_back(conversation.pk, user=agent.user, at=SOON)
