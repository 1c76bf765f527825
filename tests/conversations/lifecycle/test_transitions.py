"""Every state and every verb: an allowed move leaves one event, everything else is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Agent
from conversations.lifecycle import actors
from conversations.lifecycle import verbs as lifecycle
from conversations.lifecycle.transitions import TRANSITIONS, Refused, Status, Verb
from conversations.models import CloseReason, Conversation
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, in_status

LATER = NOW + timedelta(minutes=10)

# Written by hand from the table in docs/lifecycle.md; `None` means "does not exist yet".
EDGES = {
    (None, "start_bot", "bot"),
    (None, "queue", "queued"),
    (None, "import", "closed"),
    ("bot", "escalate", "queued"),
    ("bot", "close", "closed"),
    ("queued", "push", "active"),
    ("queued", "drop_skills", "queued"),
    ("queued", "transfer_to_group", "queued"),
    ("queued", "transfer_to_agent", "assigned"),
    ("assigned", "push", "active"),
    ("assigned", "take", "active"),
    ("assigned", "expire", "queued"),
    ("assigned", "release", "queued"),
    ("assigned", "transfer_to_group", "queued"),
    ("assigned", "transfer_to_agent", "assigned"),
    ("active", "snooze", "snoozed"),
    ("active", "set_pending", "pending"),
    ("active", "set_on_hold", "on_hold"),
    ("active", "solve", "solved"),
    ("active", "close", "closed"),
    ("active", "release", "queued"),
    ("active", "requeue", "queued"),
    ("active", "transfer_to_group", "queued"),
    ("active", "transfer_to_agent", "assigned"),
    ("snoozed", "wake_to_agent", "assigned"),
    ("snoozed", "wake_to_group", "queued"),
    ("snoozed", "close", "closed"),
    ("pending", "reopen", "assigned"),
    ("on_hold", "reopen", "assigned"),
    ("solved", "reopen", "assigned"),
    ("queued", "take_back", "assigned"),
    ("assigned", "take_back", "assigned"),
    ("snoozed", "take_back", "assigned"),
    ("pending", "take_back", "assigned"),
    ("on_hold", "take_back", "assigned"),
    ("solved", "take_back", "assigned"),
    ("solved", "close", "closed"),
    ("pending", "reopen_to_group", "queued"),
    ("on_hold", "reopen_to_group", "queued"),
    ("solved", "reopen_to_group", "queued"),
    ("snoozed", "unassign", "snoozed"),
    ("pending", "unassign", "pending"),
    ("on_hold", "unassign", "on_hold"),
    ("solved", "unassign", "solved"),
}

Do = Callable[[Conversation], Any]


def test_transition_table_matches_the_design() -> None:
    table = {
        (source, verb, transition.target_from(source))
        for verb, transition in TRANSITIONS.items()
        for source in transition.sources
    }
    assert table == EDGES


@pytest.fixture
def verbs(step: RuleStep, agent: Agent) -> dict[Verb, Do]:
    """Return a call of each verb on an existing conversation, by an authorized actor."""
    actor = actors.agent(agent.user)
    other_step = StepFactory(rule=step.rule)
    other = AgentFactory()
    step.group.members.add(other)
    acting: dict[str, Any] = {"actor": actor, "at": LATER}
    entry = {"group_id": step.group_id, "queue_id": step.pk}
    return {
        Verb.ESCALATE: lambda c: lifecycle.escalate(c.pk, **entry, **acting),
        Verb.PUSH: lambda c: lifecycle.push(c.pk, agent=agent, at=LATER),
        Verb.TAKE: lambda c: lifecycle.take(c.pk, agent=agent, **acting),
        Verb.TRANSFER_TO_GROUP: lambda c: lifecycle.transfer_to_group(
            c.pk, group=other_step.group, queue_id=other_step.pk, **acting
        ),
        Verb.TRANSFER_TO_AGENT: lambda c: lifecycle.transfer_to_agent(c.pk, agent=other, **acting),
        Verb.EXPIRE: lambda c: lifecycle._move(c.pk, Verb.EXPIRE, **acting),
        Verb.RELEASE: lambda c: lifecycle.release(c.pk, **acting),
        Verb.REQUEUE: lambda c: lifecycle._move(c.pk, Verb.REQUEUE, **acting),
        Verb.DROP_SKILLS: lambda c: lifecycle._move(c.pk, Verb.DROP_SKILLS, **acting),
        Verb.SNOOZE: lambda c: lifecycle.snooze(
            c.pk, until=LATER + timedelta(hours=3), keep=True, auto_close=True, **acting
        ),
        Verb.WAKE_TO_AGENT: lambda c: lifecycle._move(c.pk, Verb.WAKE_TO_AGENT, **acting),
        Verb.WAKE_TO_GROUP: lambda c: lifecycle._move(c.pk, Verb.WAKE_TO_GROUP, **acting),
        Verb.SET_PENDING: lambda c: lifecycle.set_pending(c.pk, **acting),
        Verb.SET_ON_HOLD: lambda c: lifecycle.set_on_hold(c.pk, **acting),
        Verb.SOLVE: lambda c: lifecycle.solve(c.pk, **acting),
        Verb.REOPEN: lambda c: lifecycle.reopen(c.pk, **acting),
        Verb.REOPEN_TO_GROUP: lambda c: lifecycle._move(c.pk, Verb.REOPEN_TO_GROUP, **acting),
        Verb.UNASSIGN: lambda c: lifecycle.unassign(c.pk, reason="account_deactivated", **acting),
        Verb.TAKE_BACK: lambda c: lifecycle.take_back(c.pk, agent=agent, **entry, **acting),
        Verb.CLOSE: lambda c: lifecycle.close(c.pk, reason=CloseReason.RESOLVED, **acting),
    }


def picture(conversation: Conversation) -> tuple[Any, ...]:
    """Return everything that a verb could have changed."""
    row = Conversation.objects.filter(pk=conversation.pk).values().get()
    contacts = list(conversation.contacts.order_by("pk").values())
    return row, contacts, conversation.events.count()


@pytest.mark.parametrize("verb", [verb for verb in Verb if None not in TRANSITIONS[verb].sources])
@pytest.mark.parametrize("status", list(Status))
def test_allowed_verbs_write_one_event_and_others_none(
    status: Status, verb: Verb, verbs: dict[Verb, Do], step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    before = picture(conversation)
    allowed = {target for source, name, target in EDGES if (source, name) == (status, verb)}
    if not allowed:
        with pytest.raises(Refused):
            verbs[verb](conversation)
        assert picture(conversation) == before
        return
    verbs[verb](conversation)
    conversation.refresh_from_db()
    assert conversation.status == allowed.pop()
    events = list(conversation.events.order_by("pk"))
    assert len(events) == before[2] + 1
    assert (events[-1].verb, events[-1].to_status) == (verb, conversation.status)
    assert events[-1].at == conversation.moved_at == LATER
    assert conversation.contacts.filter(ended_at=None).exists() == (
        conversation.status == Status.ACTIVE
    )


@pytest.mark.parametrize("status", list(Status))
def test_every_state_except_closed_has_a_transition(status: Status) -> None:
    assert any(source == status for source, _, _ in EDGES) == (status != Status.CLOSED)
