"""Escalation from a bot to people: when a bot may start, and how it hands over (C6)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import time_machine

from accounts.models import Agent
from conversations.lifecycle import deadlines, verbs
from conversations.lifecycle.transitions import BOT_ANSWER_SECONDS, DeadlineKind, Refused, Status
from conversations.messages import sending
from conversations.models import Author, Conversation
from core.rejection import Rejected
from routing import engagement
from routing.actions import escalation
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    BotFactory,
    RuleFactory,
    SkillFactory,
    StepFactory,
    VisitorFactory,
    connect,
    queued,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock", "durable_wires"),
]

GREETING = {
    "format": 1,
    "start": "hello",
    "steps": [
        {
            "id": "hello",
            "kind": "ask",
            "answer": "text",
            "text": {"fr": "Bonjour, je suis le robot."},
            "next": "people",
            "failed": "people",
        },
        {"id": "people", "kind": "escalate"},
    ],
}
SILENT = timedelta(seconds=BOT_ANSWER_SECONDS)


@pytest.fixture
def step() -> RuleStep:
    rule = RuleFactory()
    rule.bot = BotFactory(website=rule.website, scenario=GREETING)
    rule.save()
    return StepFactory(rule=rule, places=1)


def start(step: RuleStep) -> Conversation:
    conversation, _ = engagement.start(
        VisitorFactory(website=step.rule.website),
        body="Bonjour",
        client_id=uuid.uuid4(),
        page_url="",
        language="en",
        at=NOW,
    )
    conversation.refresh_from_db()
    return conversation


def messages_of(conversation: Conversation) -> list[tuple[str, str]]:
    return list(conversation.messages.order_by("seq").values_list("author", "body"))


def there(step: RuleStep, slots: int = 1) -> Agent:
    agent = AgentFactory(slots=slots)
    step.group.members.add(agent)
    connect(agent)
    return agent


def test_a_bot_takes_no_place_and_starts_only_with_room_for_escalation(
    step: RuleStep,
) -> None:
    first, second = start(step), start(step)
    assert [one.status for one in (first, second)] == [Status.BOT, Status.BOT]
    assert messages_of(first) == [("visitor", "Bonjour"), ("bot", "Bonjour, je suis le robot.")]
    assert first.deadline_kind == DeadlineKind.BOT_INACTIVITY
    queued(step)  # the only place
    with pytest.raises(Rejected):
        start(step)


def test_an_escalation_is_a_new_entry_and_takes_a_place(step: RuleStep) -> None:
    first, second = start(step), start(step)
    assert escalation.escalate(first.pk, at=NOW)
    assert not escalation.escalate(second.pk, at=NOW)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.is_return, first.is_asynchronous) == (Status.QUEUED, False, True)
    assert first.events.last().data == {"places": 1}
    assert second.status == Status.BOT
    assert [author for author, _ in messages_of(first)] == ["visitor", "bot", "system"]
    notice = messages_of(second)[-1]
    assert notice[0] == "system"
    assert "queue is full" in notice[1]
    assert not escalation.escalate(second.pk, at=NOW)
    assert messages_of(second)[-1] == notice  # once
    assert len(messages_of(second)) == 3


def test_escalation_without_places_needs_a_free_desk(step: RuleStep) -> None:
    RuleStep.objects.update(places=0)
    agent = there(step)
    first = start(step)
    second = start(step)
    assert escalation.escalate(first.pk, at=NOW)
    first.refresh_from_db()
    assert (first.status, first.agent_id) == (Status.ACTIVE, agent.pk)
    assert not first.is_asynchronous
    assert not escalation.escalate(second.pk, at=NOW)


def test_skills_given_at_escalation_become_required(step: RuleStep) -> None:
    conversation = start(step)
    skill = SkillFactory(website=step.rule.website)
    agent = there(step)
    assert escalation.escalate(conversation.pk, at=NOW, skills=[skill.pk])
    conversation.refresh_from_db()
    assert conversation.status == Status.QUEUED
    assert conversation.required_skills == [skill.pk]
    assert agent.contacts.count() == 0


def test_only_a_bot_conversation_can_be_escalated(step: RuleStep) -> None:
    with pytest.raises(Refused):
        escalation.escalate(queued(step).pk, at=NOW)


def test_a_silent_bot_is_escalated_once_there_is_room_and_never_closes(
    clock: time_machine.Traveller, step: RuleStep
) -> None:
    conversation = start(step)
    sending.add(
        conversation.pk, author=Author.VISITOR, body="Allô ?", client_id=uuid.uuid4(), at=NOW
    )
    in_the_way = queued(step)
    clock.shift(SILENT)
    deadlines.enforce(conversation.pk, at=NOW + SILENT)
    conversation.refresh_from_db()
    assert conversation.status == Status.BOT
    assert conversation.deadline_at == NOW + SILENT + deadlines.BOT_RETRY
    assert messages_of(conversation)[-1][0] == "system"
    agent = there(step)
    verbs.push(in_the_way.pk, agent=agent, at=NOW + SILENT)
    later = NOW + SILENT + deadlines.BOT_RETRY
    clock.move_to(later)
    deadlines.enforce(conversation.pk, at=later)
    conversation.refresh_from_db()
    assert conversation.status == Status.QUEUED
    assert conversation.deadline_at is None


def test_a_bot_that_answers_in_time_keeps_the_conversation(step: RuleStep) -> None:
    conversation = start(step)
    for author in (Author.VISITOR, Author.BOT):
        sending.add(conversation.pk, author=author, body="…", client_id=uuid.uuid4(), at=NOW)
    with pytest.raises(Refused):
        deadlines.enforce(conversation.pk, at=NOW + SILENT)
    conversation.refresh_from_db()
    assert conversation.status == Status.BOT
