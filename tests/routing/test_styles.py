"""How conversations end and come back, by the style of their rule (C32-C36), with all reactions."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from time_machine import Traveller

from accounts.models import Agent, Channel
from conversations import surveys
from conversations.lifecycle import deadlines
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Author, Contact, Conversation, Style, Survey
from routing import engagement, presence
from routing.actions import assignment, by_agent
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    RuleFactory,
    StepFactory,
    VisitorFactory,
    connect,
    in_status,
    on_desk,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("durable_wires")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAUSES = [Status.PENDING, Status.ON_HOLD, Status.SOLVED]


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


@pytest.fixture
def colleague(step: RuleStep) -> Agent:
    """Connected and free all the time."""
    colleague = AgentFactory(slots=9)
    step.group.members.add(colleague)
    connect(colleague, at=NOW + 30 * DAY)
    return colleague


def put(step: RuleStep, agent: Agent, status: Status = Status.ACTIVE) -> Conversation:
    """Put a conversation on the agent's desk, or paused by them; in one transaction, before any
    drain gives it to another."""
    with transaction.atomic():
        return in_status(status, step, agent)


def say(conversation: Conversation, author: Author) -> None:
    sending.add(conversation.pk, author=author, body="…", client_id=uuid.uuid4(), at=timezone.now())


def now_of(conversation: Conversation) -> tuple[str, int | None]:
    conversation.refresh_from_db()
    return conversation.status, conversation.agent_id


# --- C32: the window -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "chosen", "status", "window"),
    [
        (Style.LIVE, None, Status.CLOSED, None),
        (Style.LIVE, 5 * HOUR, Status.CLOSED, None),  # left over from another style
        (Style.LIVE_WITH_RETURN, 5 * HOUR, Status.SOLVED, 5 * HOUR),
        (Style.SOCIAL, None, Status.SOLVED, 4 * DAY),
        (Style.SOCIAL, 28 * DAY, Status.SOLVED, 28 * DAY),
    ],
)
def test_closing_on_the_desk_follows_the_style_of_the_rule(
    style: Style,
    chosen: timedelta | None,
    status: Status,
    window: timedelta | None,
    agent: Agent,
    step: RuleStep,
    clock: Traveller,
) -> None:
    rule = step.rule
    rule.style, rule.solved_window = style, chosen
    rule.full_clean()
    rule.save()
    conversation, _sent = engagement.start(
        VisitorFactory(website=rule.website),
        body="Bonjour",
        client_id=uuid.uuid4(),
        page_url="",
        language="fr",
        at=NOW,
    )
    assert now_of(conversation) == (Status.ACTIVE, agent.pk)
    by_agent.finish(conversation.pk, user=agent.user, at=NOW)
    assert now_of(conversation)[0] == status
    if window is None:
        return
    assert conversation.deadline_at == NOW + window
    deadlines.enforce_many(at=NOW + window - HOUR)
    assert now_of(conversation)[0] == Status.SOLVED
    deadlines.enforce_many(at=NOW + window)
    assert now_of(conversation)[0] == Status.CLOSED
    assert (conversation.closed_by, conversation.close_reason) == ("system", "window_over")


@pytest.mark.parametrize(
    ("style", "window"),
    [
        (Style.SOCIAL, 28 * DAY + timedelta(minutes=1)),
        (Style.LIVE_WITH_RETURN, 29 * DAY),
        (Style.LIVE_WITH_RETURN, None),
    ],
)
def test_invalid_return_windows_are_refused(style: Style, window: timedelta | None) -> None:
    rule = RuleFactory(style=style, solved_window=window)
    with pytest.raises(ValidationError) as wrong:
        rule.full_clean()
    assert set(wrong.value.message_dict) == {"solved_window"}


# --- C34, C35, C36: coming back --------------------------------------------------------------


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("free", Status.ACTIVE),
        ("full", Status.ASSIGNED),
        ("unavailable", Status.ASSIGNED),
        ("away", Status.ASSIGNED),
    ],
)
def test_a_reply_returns_to_the_same_agent(
    pause: Status,
    how: str,
    status: Status,
    step: RuleStep,
    agent: Agent,
    colleague: Agent,
    clock: Traveller,
) -> None:
    conversation = put(step, agent, pause)
    # the slot is free for another conversation
    assert Contact.objects.filter(ended_at=None).count() == 0
    match how:
        case "full":
            put(step, agent)
        case "unavailable":
            presence.set_available(agent.pk, Channel.CHAT, False, at=NOW)
        case "away":
            presence.log_out(agent.pk, at=NOW)
    say(conversation, Author.VISITOR)
    assert now_of(conversation) == (status, agent.pk)
    if status == Status.ACTIVE:
        return

    # The agent has 24 hours; then a free colleague gets it, by the group's queue.
    assert conversation.deadline_at == NOW + DAY
    clock.shift(DAY - HOUR)
    deadlines.enforce_many(at=timezone.now())
    assert now_of(conversation) == (Status.ASSIGNED, agent.pk)
    clock.shift(HOUR)
    deadlines.enforce_many(at=timezone.now())
    assert now_of(conversation) == (Status.ACTIVE, colleague.pk)


@pytest.mark.parametrize("pause", PAUSES)
def test_resuming_assigns_to_the_agent_and_only_taking_exceeds_slots(
    pause: Status, step: RuleStep, agent: Agent, colleague: Agent, clock: Traveller
) -> None:
    conversation = put(step, agent, pause)
    put(step, agent)
    by_agent.resume(conversation.pk, user=agent.user, at=NOW)
    assert now_of(conversation) == (Status.ASSIGNED, agent.pk)  # the agent is full
    assignment.take(conversation.pk, user=agent.user, at=NOW)
    assert now_of(conversation) == (Status.ACTIVE, agent.pk)
    assert Contact.objects.filter(agent=agent, ended_at=None).count() == 2


# --- C33: the survey -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "acts", "offered"),
    [
        (Style.LIVE, ["agent", "close"], [0]),
        (Style.SOCIAL, ["agent", "close"], [0]),
        (Style.LIVE_WITH_RETURN, ["agent", "close"], [0]),
        # Nobody has answered yet: there is nothing to rate.
        (Style.SOCIAL, ["close"], []),
        # The window closes what was solved: offered at the first of the two.
        (Style.SOCIAL, ["agent", "close", "window"], [0]),
        # Back without a new message of the agent: not again. With one: again.
        (Style.SOCIAL, ["agent", "close", "answer", "visitor", "close"], [0]),
        (Style.SOCIAL, ["agent", "close", "answer", "visitor", "agent", "close"], [0, 1]),
        # Still unanswered: it is now about the newest reply.
        (Style.SOCIAL, ["agent", "close", "visitor", "agent", "close"], [1]),
    ],
)
def test_the_survey_is_offered_again_only_after_a_new_human_reply(
    style: Style,
    acts: list[str],
    offered: list[int],
    step: RuleStep,
    agent: Agent,
    clock: Traveller,
) -> None:
    """``offered``: how many hours after the first closure each survey is about."""
    window = None if style == Style.LIVE else 5 * DAY
    with transaction.atomic():
        conversation = on_desk(step, agent, style=style, solved_window=window)
    first = None
    for act in acts:
        clock.shift(timedelta(minutes=10))
        match act:
            case "agent":
                say(conversation, Author.AGENT)
            case "visitor":
                clock.shift(HOUR)
                connect(agent, at=timezone.now())
                say(conversation, Author.VISITOR)
                assert now_of(conversation)[0] == Status.ACTIVE
            case "close":
                by_agent.finish(conversation.pk, user=agent.user, at=timezone.now())
                first = first or timezone.now()
            case "window":
                clock.shift(6 * DAY)
                deadlines.enforce_many(at=timezone.now())
                assert now_of(conversation)[0] == Status.CLOSED
            case "answer":
                at = timezone.now()
                with transaction.atomic():
                    assert surveys.answer(conversation.pk, csat=5, nps=None, comment="", at=at)
    assert first is not None
    offered_at = Survey.objects.order_by("offered_at").values_list("offered_at", flat=True)
    assert [(at - first) // HOUR for at in offered_at] == offered
