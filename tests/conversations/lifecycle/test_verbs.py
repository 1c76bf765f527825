"""The rulings on the lifecycle: C1-C4, C16, C17, C20, C24, C25, C33-C36."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError

from accounts.models import Agent, AgentChannel, Channel, Role
from conversations.lifecycle import actors, deadlines, invariants, verbs
from conversations.lifecycle.transitions import (
    BOT_ANSWER_SECONDS,
    WAITING,
    DeadlineKind,
    EndReason,
    Refused,
    Status,
    Verb,
)
from conversations.messages import rejections, sending
from conversations.models import Author, CloseReason, Contact, Conversation, Event, Style
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, in_status, on_desk, queued, with_bot

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
WINDOW = timedelta(days=4)


def say(conversation: Conversation, author: Author, *, at: datetime) -> None:
    sending.add(conversation.pk, author=author, body="…", client_id=uuid.uuid4(), at=at)


def snooze(
    conversation: Conversation, agent: Agent, *, keep: bool, auto_close: bool = True
) -> Conversation:
    return verbs.snooze(
        conversation.pk,
        until=NOW + 3 * HOUR,
        keep=keep,
        auto_close=auto_close,
        actor=actors.agent(agent.user),
        at=NOW,
    )


def assert_sound() -> None:
    """Check every invariant except the outbox, whose entries stay because nothing is committed
    here."""
    assert [finding for finding in invariants.findings(at=NOW) if finding.check != "outbox"] == []


# --- C1: what no timer closes ----------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.QUEUED, Status.ASSIGNED, Status.ACTIVE])
def test_system_cannot_close_waiting_or_active_conversations(
    status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    with pytest.raises(Refused):
        verbs.close(conversation.pk, reason=CloseReason.SNOOZE_OVER, actor=actors.SYSTEM, at=NOW)


def test_bot_conversation_closes_after_five_minutes_of_inactivity(
    step: RuleStep,
) -> None:
    conversation = with_bot(step)
    with pytest.raises(Refused):
        deadlines.enforce(conversation.pk, at=NOW + 5 * 60 * SECOND - SECOND)
    closed = deadlines.enforce(conversation.pk, at=NOW + timedelta(minutes=5))
    assert (closed.closed_by, closed.close_reason) == ("system", CloseReason.BOT_INACTIVITY)


def test_inactivity_timer_runs_only_after_a_bot_message(step: RuleStep) -> None:
    conversation = with_bot(step)
    say(conversation, Author.VISITOR, at=NOW + SECOND)
    say(conversation, Author.VISITOR, at=NOW + 5 * SECOND)
    conversation.refresh_from_db()
    # The other timer runs, from the first message without an answer.
    assert conversation.deadline_kind == DeadlineKind.BOT_SILENCE
    assert conversation.deadline_at == NOW + SECOND + BOT_ANSWER_SECONDS * SECOND
    say(conversation, Author.BOT, at=NOW + 9 * SECOND)
    conversation.refresh_from_db()
    assert conversation.deadline_kind == DeadlineKind.BOT_INACTIVITY
    assert conversation.deadline_at == NOW + 9 * SECOND + verbs.BOT_PATIENCE


def test_escalation_cancels_bot_timer_and_rejects_bot_messages(
    step: RuleStep,
) -> None:
    conversation = with_bot(step)
    verbs.escalate(
        conversation.pk, group_id=step.group_id, queue_id=step.pk, actor=actors.BOT, at=NOW
    )
    conversation.refresh_from_db()
    assert (conversation.deadline_at, conversation.is_return) == (None, False)
    with pytest.raises(rejections.Rejected):
        say(conversation, Author.BOT, at=NOW)


def test_a_bot_cannot_snooze(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    with pytest.raises(Refused):
        verbs.snooze(
            conversation.pk, until=NOW + HOUR, keep=False, auto_close=True, actor=actors.BOT, at=NOW
        )


def test_closure_records_actor_and_reason(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    closed = verbs.finish(conversation.pk, actor=actors.agent(agent.user), at=NOW)
    assert (closed.closed_by, closed.close_reason) == ("agent", CloseReason.RESOLVED)
    assert closed.closed_at == NOW


def test_slow_clock_does_not_move_ledger_times_back(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    closed = verbs.finish(conversation.pk, actor=actors.agent(agent.user), at=NOW - SECOND)
    assert closed.closed_at == closed.moved_at == NOW
    assert closed.contacts.get().ended_at == NOW
    assert_sound()


# --- C2: the end of a snooze -----------------------------------------------------------------


@pytest.mark.parametrize("auto_close", [True, False])
@pytest.mark.parametrize(("keep", "status"), [(True, Status.ASSIGNED), (False, Status.QUEUED)])
def test_a_visitors_reply_wakes_a_snoozed_conversation_at_once(
    keep: bool, status: Status, auto_close: bool, step: RuleStep, agent: Agent
) -> None:
    conversation = snooze(on_desk(step, agent), agent, keep=keep, auto_close=auto_close)
    say(conversation, Author.VISITOR, at=NOW + HOUR)
    conversation.refresh_from_db()
    assert conversation.status == status
    assert conversation.agent_id == (agent.pk if keep else None)
    assert conversation.is_return
    assert conversation.queued_at == NOW + HOUR
    assert conversation.deadline_at == (NOW + 25 * HOUR if keep else None)
    assert_sound()


@pytest.mark.parametrize(
    ("keep", "auto_close", "status"),
    [
        (True, True, Status.CLOSED),
        (False, True, Status.CLOSED),
        (True, False, Status.ASSIGNED),
        (False, False, Status.QUEUED),
    ],
)
def test_ended_snooze_follows_keep_and_auto_close(
    keep: bool, auto_close: bool, status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = snooze(on_desk(step, agent), agent, keep=keep, auto_close=auto_close)
    assert deadlines.past(NOW + 3 * HOUR - SECOND) == []
    assert deadlines.past(NOW + 3 * HOUR) == [conversation.pk]
    moved = deadlines.enforce(conversation.pk, at=NOW + 3 * HOUR)
    assert moved.status == status
    if auto_close:
        assert (moved.closed_by, moved.close_reason) == ("system", CloseReason.SNOOZE_OVER)
    with pytest.raises(Refused):
        deadlines.enforce(conversation.pk, at=NOW + 3 * HOUR)
    assert_sound()


@pytest.mark.parametrize("keep", [True, False])
def test_a_snoozed_conversation_occupies_no_slot(keep: bool, step: RuleStep, agent: Agent) -> None:
    conversation = snooze(on_desk(step, agent), agent, keep=keep)
    assert not Contact.objects.filter(ended_at=None).exists()
    contact = conversation.contacts.get()
    assert (contact.ended_at, contact.end_reason) == (NOW, EndReason.SNOOZED)


@pytest.mark.parametrize("until", [NOW, NOW - HOUR, NOW + timedelta(days=366)])
def test_snooze_end_outside_the_next_year_is_refused(
    until: datetime, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    with pytest.raises(Refused):
        verbs.snooze(
            conversation.pk,
            until=until,
            keep=True,
            auto_close=True,
            actor=actors.agent(agent.user),
            at=NOW,
        )


@pytest.mark.parametrize(
    ("is_asynchronous", "channel", "may"),
    [
        (True, Channel.CHAT, True),
        (False, Channel.MESSAGING, True),
        (False, Channel.CHAT, False),
        (False, Channel.CALL, False),
    ],
)
def test_only_asynchronous_or_messaging_can_be_snoozed(
    is_asynchronous: bool, channel: Channel, may: bool, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent, is_asynchronous=is_asynchronous, channel=channel)
    if may:
        assert snooze(conversation, agent, keep=False).status == Status.SNOOZED
        return
    with pytest.raises(Refused):
        snooze(conversation, agent, keep=False)


# --- C16, C17: returns, and their rank -------------------------------------------------------


def back_by(verb: str, step: RuleStep, agent: Agent) -> Conversation:
    """Return a conversation of NOW that ``verb`` has sent back to wait an hour later."""
    actor = actors.agent(agent.user)
    conversation = on_desk(step, agent)
    match verb:
        case "release":
            return verbs.release(conversation.pk, actor=actor, at=NOW + HOUR)
        case "requeue":
            return verbs._move(conversation.pk, Verb.REQUEUE, actor=actors.SYSTEM, at=NOW + HOUR)
        case "expire":
            other = AgentFactory()
            step.group.members.add(other)
            verbs.transfer_to_agent(conversation.pk, agent=other, actor=actor, at=NOW)
            return deadlines.enforce(conversation.pk, at=NOW + 24 * HOUR)
        case "transfer":
            return verbs.transfer_to_group(
                conversation.pk, group=step.group, queue_id=step.pk, actor=actor, at=NOW + HOUR
            )
        case "wake":
            snooze(conversation, agent, keep=False)
            return verbs.wake(conversation.pk, actor=actor, at=NOW + HOUR)
    raise AssertionError(verb)


@pytest.mark.parametrize("verb", ["release", "requeue", "expire"])
def test_involuntary_return_keeps_its_place_in_the_queue(
    verb: str, step: RuleStep, agent: Agent
) -> None:
    conversation = back_by(verb, step, agent)
    assert (conversation.status, conversation.queued_at) == (Status.QUEUED, NOW)


@pytest.mark.parametrize("verb", ["transfer", "wake"])
def test_voluntary_return_starts_a_new_wait(verb: str, step: RuleStep, agent: Agent) -> None:
    assert back_by(verb, step, agent).queued_at == NOW + HOUR


@pytest.mark.parametrize("verb", ["release", "requeue", "expire", "transfer", "wake"])
def test_returned_conversation_is_marked_as_return(verb: str, step: RuleStep, agent: Agent) -> None:
    assert not queued(step).is_return
    assert back_by(verb, step, agent).is_return


# --- C20: the 24 hours -----------------------------------------------------------------------


def test_expired_assignment_returns_to_the_group_queue(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ASSIGNED, step, agent)
    assert conversation.deadline_at == NOW + 24 * HOUR
    with pytest.raises(Refused):
        deadlines.enforce(conversation.pk, at=NOW + 24 * HOUR - SECOND)
    expired = deadlines.enforce(conversation.pk, at=NOW + 24 * HOUR)
    assert (expired.status, expired.agent_id) == (Status.QUEUED, None)
    assert expired.group_id == step.group_id


def test_push_cancels_the_assignment_deadline(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ASSIGNED, step, agent)
    verbs.push(conversation.pk, agent=agent, at=NOW + HOUR)
    assert deadlines.past(NOW + 48 * HOUR) == []


def test_website_sets_the_assignment_hours(step: RuleStep, agent: Agent) -> None:
    step.rule.website.assignment_hours = 2
    step.rule.website.save()
    assert in_status(Status.ASSIGNED, step, agent).deadline_at == NOW + 2 * HOUR


def test_transfer_to_the_assigned_agent_is_refused(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ASSIGNED, step, agent)
    with pytest.raises(Refused):
        verbs.transfer_to_agent(
            conversation.pk, agent=agent, actor=actors.agent(agent.user), at=NOW + HOUR
        )


def test_assigned_conversation_cannot_go_to_another_agent(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ASSIGNED, step, agent)
    other = AgentFactory()
    with pytest.raises(Refused):
        verbs.push(conversation.pk, agent=other, at=NOW)
    with pytest.raises(Refused):
        verbs.take(conversation.pk, agent=other, actor=actors.agent(other.user), at=NOW)


def test_transfer_to_agent_of_another_website_is_refused(step: RuleStep, agent: Agent) -> None:
    stranger = AgentFactory()
    StepFactory().group.members.add(stranger)
    boss = AgentFactory(user__role=Role.ADMIN)
    conversation = on_desk(step, agent)
    actor = actors.agent(agent.user)
    with pytest.raises(Refused):
        verbs.transfer_to_agent(conversation.pk, agent=stranger, actor=actor, at=NOW)
    moved = verbs.transfer_to_agent(conversation.pk, agent=boss, actor=actor, at=NOW)
    assert moved.agent_id == boss.pk


# --- C24: why contacts end -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        ("transfer", EndReason.TRANSFERRED),
        ("wake", EndReason.SNOOZED),
        ("release", EndReason.RELEASED),
        ("requeue", EndReason.UNANSWERED),
        ("expire", EndReason.TRANSFERRED),
    ],
)
def test_contact_records_why_it_ended(
    verb: str, reason: EndReason, step: RuleStep, agent: Agent
) -> None:
    assert back_by(verb, step, agent).contacts.get().end_reason == reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status.PENDING, EndReason.PENDING),
        (Status.ON_HOLD, EndReason.ON_HOLD),
        (Status.SOLVED, EndReason.SOLVED),
        (Status.CLOSED, EndReason.CLOSED),
    ],
)
def test_contact_end_reason_matches_the_new_state(
    status: Status, reason: EndReason, step: RuleStep, agent: Agent
) -> None:
    contact = in_status(status, step, agent).contacts.get()
    assert (contact.ended_at, contact.end_reason) == (NOW, reason)


def test_blocking_the_visitor_is_a_distinct_end_reason(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    verbs.close(conversation.pk, reason=CloseReason.BLOCKED, actor=actors.agent(agent.user), at=NOW)
    assert conversation.contacts.get().end_reason == EndReason.BLOCKED
    assert_sound()


def test_conversation_can_have_many_consecutive_contacts(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    for hour in range(1, 5):
        verbs.release(conversation.pk, actor=actors.SYSTEM, at=NOW + hour * HOUR)
        verbs.push(conversation.pk, agent=agent, at=NOW + hour * HOUR)
    assert conversation.contacts.count() == 5
    assert_sound()


# --- C25: the answer timer -------------------------------------------------------------------


@pytest.fixture
def timed(step: RuleStep) -> RuleStep:
    step.group.answer_seconds = 60
    step.group.save()
    return step


def test_unanswered_push_returns_and_makes_agent_unavailable(timed: RuleStep, agent: Agent) -> None:
    conversation = on_desk(timed, agent)
    back = deadlines.enforce(conversation.pk, at=NOW + timedelta(minutes=1))
    assert (back.status, back.queued_at) == (Status.QUEUED, NOW)
    assert not AgentChannel.objects.get(agent=agent).is_available
    assert_sound()


def test_only_an_agent_message_cancels_the_answer_deadline(timed: RuleStep, agent: Agent) -> None:
    conversation = on_desk(timed, agent)
    say(conversation, Author.VISITOR, at=NOW + SECOND)
    assert deadlines.past(NOW + HOUR) == [conversation.pk]
    say(conversation, Author.AGENT, at=NOW + 2 * SECOND)
    assert deadlines.past(NOW + HOUR) == []
    with pytest.raises(Refused):
        deadlines.enforce(conversation.pk, at=NOW + HOUR)


def test_taken_conversation_has_no_answer_deadline(timed: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ASSIGNED, timed, agent)
    taken = verbs.take(conversation.pk, agent=agent, actor=actors.agent(agent.user), at=NOW)
    assert taken.deadline_at is None


# --- C33, C34, C36: styles, windows, pauses without a timer ----------------------------------


@pytest.mark.parametrize(
    ("style", "status"),
    [
        (Style.LIVE, Status.CLOSED),
        (Style.LIVE_WITH_RETURN, Status.SOLVED),
        (Style.SOCIAL, Status.SOLVED),
    ],
)
def test_finish_closes_live_conversations_and_solves_others(
    style: Style, status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent, style=style, solved_window=WINDOW)
    finished = verbs.finish(conversation.pk, actor=actors.agent(agent.user), at=NOW)
    assert finished.status == status


def test_solved_conversation_closes_after_its_window(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.SOLVED, step, agent)
    assert conversation.deadline_at == NOW + WINDOW
    closed = deadlines.enforce(conversation.pk, at=NOW + WINDOW)
    assert (closed.closed_by, closed.close_reason) == ("system", CloseReason.WINDOW_OVER)


@pytest.mark.parametrize("status", [Status.PENDING, Status.ON_HOLD, Status.SOLVED])
def test_reply_reassigns_the_same_agent_for_24_hours(
    status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    say(conversation, Author.VISITOR, at=NOW + HOUR)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.ASSIGNED, agent.pk)
    assert conversation.deadline_at == NOW + 25 * HOUR
    back = deadlines.enforce(conversation.pk, at=NOW + 25 * HOUR)
    assert (back.status, back.group_id) == (Status.QUEUED, step.group_id)
    assert_sound()


@pytest.mark.parametrize("status", [Status.PENDING, Status.ON_HOLD])
def test_pending_and_on_hold_have_no_timer_and_occupy_no_slot(
    status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    assert (conversation.deadline_at, conversation.deadline_kind) == (None, "")
    assert not Contact.objects.filter(ended_at=None).exists()


def test_conversation_can_reopen_repeatedly(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.SOLVED, step, agent)
    for hour in range(1, 4):
        say(conversation, Author.VISITOR, at=NOW + hour * HOUR)
        verbs.push(conversation.pk, agent=agent, at=NOW + hour * HOUR)
        verbs.solve(conversation.pk, actor=actors.agent(agent.user), at=NOW + hour * HOUR)
    conversation.refresh_from_db()
    assert conversation.status == Status.SOLVED
    assert conversation.agent_id == agent.pk
    assert_sound()


# --- What the database itself refuses --------------------------------------------------------


def test_events_cannot_be_changed_or_deleted(step: RuleStep) -> None:
    event = queued(step).events.get()
    for change in (
        lambda: Event.objects.filter(pk=event.pk).update(verb="close"),
        lambda: Event.objects.filter(pk=event.pk).delete(),
    ):
        with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
            change()
    assert event == Event.objects.get()


def test_erasure_setting_permits_deleting_events(step: RuleStep) -> None:
    conversation = queued(step)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL causerie.erasing = 'on'")
    conversation.delete()
    assert not Event.objects.exists()


def test_second_open_contact_is_refused(step: RuleStep, agent: Agent) -> None:
    contact = on_desk(step, agent).contacts.get()
    contact.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        contact.save()


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        (Status.ACTIVE, {"agent": None}),
        (Status.QUEUED, {"group": None}),
        (Status.ASSIGNED, {"deadline_at": None, "deadline_kind": ""}),
        (Status.SNOOZED, {"deadline_kind": ""}),
        (Status.CLOSED, {"closed_by": ""}),
        (Status.ACTIVE, {"closed_at": NOW}),
        (Status.ACTIVE, {"visitor_read_seq": 1}),
    ],
)
def test_a_row_that_contradicts_its_state_is_refused(
    status: Status, wrong: dict[str, object], step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    with pytest.raises(IntegrityError), transaction.atomic():
        Conversation.objects.filter(pk=conversation.pk).update(**wrong)


def test_waiting_is_queued_or_assigned() -> None:
    assert {Status.QUEUED, Status.ASSIGNED} == WAITING
