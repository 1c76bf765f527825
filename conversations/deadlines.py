"""Deadlines: the moments at which time itself moves a conversation, by the database's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from accounts.models import Agent, AgentChannel
from conversations import bus, lifecycle
from conversations.actors import SYSTEM
from conversations.facts import BotFellSilent, PushUnanswered
from conversations.models import CloseReason, Conversation, Notice, NoticeKind
from conversations.transactions import retried
from conversations.transitions import DeadlineKind, Refused, Status, Verb

BOT_RETRY = timedelta(minutes=1)
"""After so long a bot that is still silent is passed over again: there may be room by then."""


def database_now() -> datetime:
    """The database's clock, which decides what is due; machines may disagree."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def past(at: datetime, limit: int = 1000) -> list[int]:
    """The numbers of conversations whose deadline has come, the longest overdue first."""
    due = Conversation.objects.filter(deadline_at__lte=at).order_by("deadline_at")
    return list(due.values_list("pk", flat=True)[:limit])


@retried
def enforce(conversation_id: int, *, at: datetime) -> Conversation:
    """Do what the deadline owes, if it is still due at ``at`` (the database's clock).

    Raises ``Refused`` where somebody was quicker: each deadline fires once (invariant 7).
    """
    holder = _holder_who_must_answer(conversation_id)
    conversation = lifecycle.lock(conversation_id)
    if conversation.deadline_at is None or conversation.deadline_at > at:
        raise Refused(Verb.CLOSE, Status(conversation.status), "no deadline is due")
    match DeadlineKind(conversation.deadline_kind):
        case DeadlineKind.SNOOZE_END if conversation.is_auto_close:
            return _close(conversation_id, CloseReason.SNOOZE_OVER, at=at)
        case DeadlineKind.SNOOZE_END:
            return lifecycle.wake(conversation_id, actor=SYSTEM, at=at)
        case DeadlineKind.ASSIGNMENT_EXPIRY:
            return lifecycle.expire(conversation_id, at=at)
        case DeadlineKind.ANSWER_TIMER:
            return _take_back(conversation, holder, at=at)
        case DeadlineKind.SKILL_RELAXATION:
            return lifecycle.relax(conversation_id, at=at)
        case DeadlineKind.BOT_SILENCE:
            return _pass_over(conversation, at=at)
        case DeadlineKind.BOT_INACTIVITY:
            return _close(conversation_id, CloseReason.BOT_INACTIVITY, at=at)
        case DeadlineKind.SOLVED_WINDOW:
            return _close(conversation_id, CloseReason.WINDOW_OVER, at=at)


def _close(conversation_id: int, reason: CloseReason, *, at: datetime) -> Conversation:
    return lifecycle.close(conversation_id, reason=reason, actor=SYSTEM, at=at)


def _holder_who_must_answer(conversation_id: int) -> int | None:
    """Lock the agent whose answer timer runs, before the conversation: nothing may be pushed to
    him between the look at his availability and the end of it."""
    agent_id = (
        Conversation.objects.filter(pk=conversation_id, deadline_kind=DeadlineKind.ANSWER_TIMER)
        .values_list("agent_id", flat=True)
        .first()
    )
    if agent_id is not None:
        Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    return agent_id


def _take_back(conversation: Conversation, holder: int | None, *, at: datetime) -> Conversation:
    """A push that nobody answered goes to the front of the queue, and its agent becomes
    unavailable, else it would be pushed to him again at once; he is told so (C25)."""
    if holder is None or conversation.agent_id != holder:
        raise Refused(Verb.RECALL, Status(conversation.status), "it has just moved")
    AgentChannel.objects.filter(
        agent=holder, channel=conversation.channel, is_available=True
    ).update(is_available=False, available_changed_at=at)
    Notice.objects.create(
        agent_id=holder,
        conversation=conversation,
        kind=NoticeKind.UNANSWERED,
        channel=conversation.channel,
        created_at=at,
    )
    bus.publish(PushUnanswered(conversation_id=conversation.pk, agent_id=holder))
    return lifecycle.recall(conversation.pk, at=at)


def _pass_over(conversation: Conversation, *, at: datetime) -> Conversation:
    """A bot that owes the visitor an answer never closes on him: people are asked to take over,
    again and again while they have no room (C1, C7)."""
    conversation.deadline_at = at + BOT_RETRY
    conversation.save(update_fields=["deadline_at"])
    bus.publish(BotFellSilent(conversation_id=conversation.pk))
    return conversation
