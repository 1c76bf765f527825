"""Deadlines: the moments at which a conversation moves by itself, by the database's clock."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection

from accounts.models import Agent, AgentChannel
from conversations.agents import status_log
from conversations.facts import BotFellSilent, PushUnanswered
from conversations.lifecycle import transition_writer, verbs
from conversations.lifecycle.actors import SYSTEM
from conversations.lifecycle.transition_writer import Bars, Move
from conversations.lifecycle.transitions import (
    BOT_ANSWER_SECONDS,
    DeadlineKind,
    Refused,
    Status,
    Verb,
)
from conversations.models import CloseReason, Conversation, Notice, NoticeKind
from core.db.retry import retried
from core.events import bus

logger = logging.getLogger(__name__)

PLAIN = frozenset(DeadlineKind) - {DeadlineKind.ANSWER_TIMER, DeadlineKind.BOT_SILENCE}
"""Deadlines that affect only the conversation itself, so that many can be enforced at once."""
BATCH = 500
BOT_RETRY = timedelta(minutes=1)
"""When to try again to pass over a silent bot: a queue may have a place by then."""


def database_now() -> datetime:
    """Return the database's time, which decides what is due: clocks of machines may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def past(at: datetime, limit: int = 1000) -> list[int]:
    """Return the numbers of conversations whose deadline has passed, the longest overdue first."""
    due = Conversation.objects.filter(deadline_at__lte=at).order_by("deadline_at")
    return list(due.values_list("pk", flat=True)[:limit])


@retried
def enforce_many(*, at: datetime, limit: int = BATCH) -> int:
    """Enforce up to ``limit`` plain deadlines in one transaction; return how many conversations
    moved. Locked rows are skipped until the next run. Any number of workers may do this at once:
    each row is locked by one of them, and no longer due afterwards."""
    due = list(
        # of: the joined websites and groups are not locked.
        Conversation.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .select_related("website", "group")
        .filter(deadline_at__lte=at, deadline_kind__in=PLAIN)
        .order_by("deadline_at")[:limit]
    )
    waking = [one for one in due if one.is_kept and one.deadline_kind == DeadlineKind.SNOOZE_END]
    bars = transition_writer.bars_of(waking) if waking else {}
    owed = []
    for conversation in due:
        try:
            owed.append(_plain(conversation, at=at, bars=bars))
        except Refused:
            # One row in an impossible state must not keep the rest of the batch from their
            # deadlines.
            logger.exception("conversation %s cannot execute its deadline", conversation.pk)
    if owed:
        transition_writer.write(owed)
    return len(owed)


def _plain(conversation: Conversation, *, at: datetime, bars: Bars | None = None) -> Move:
    """Compute the move of a plain deadline; ``bars`` is as in ``transition_writer.way_back``."""
    match DeadlineKind(conversation.deadline_kind):
        case DeadlineKind.SNOOZE_END if conversation.is_auto_close:
            return _closed(conversation, CloseReason.SNOOZE_OVER, at=at)
        case DeadlineKind.SNOOZE_END:
            way = transition_writer.way_back(conversation, bars)
            return transition_writer.change(conversation, way.verb, actor=SYSTEM, at=at, **way.how)
        case DeadlineKind.ASSIGNMENT_EXPIRY:
            return transition_writer.change(conversation, Verb.EXPIRE, actor=SYSTEM, at=at)
        case DeadlineKind.SKILL_RELAXATION:
            return transition_writer.change(
                conversation, Verb.DROP_SKILLS, actor=SYSTEM, at=at, are_skills_relaxed=True
            )
        case DeadlineKind.BOT_INACTIVITY:
            return _closed(conversation, CloseReason.BOT_INACTIVITY, at=at)
        case DeadlineKind.SOLVED_WINDOW:
            return _closed(conversation, CloseReason.WINDOW_OVER, at=at)
        case DeadlineKind.ANSWER_TIMER | DeadlineKind.BOT_SILENCE:
            raise AssertionError("this verb also concerns others")


def _closed(conversation: Conversation, reason: CloseReason, *, at: datetime) -> Move:
    return transition_writer.change(
        conversation,
        Verb.CLOSE,
        actor=SYSTEM,
        at=at,
        closed_by=SYSTEM.kind,
        close_reason=reason,
    )


@retried
def enforce(conversation_id: int, *, at: datetime) -> Conversation:
    """Enforce the conversation's deadline, if it is still due at ``at`` (the database's clock).

    Raise ``Refused`` if another process was faster: each deadline fires once (invariant 7).
    """
    holder = _holder_who_must_answer(conversation_id)
    conversation = verbs.lock(conversation_id)
    if conversation.deadline_at is None or conversation.deadline_at > at:
        raise Refused(Verb.CLOSE, Status(conversation.status), "no deadline is due")
    match DeadlineKind(conversation.deadline_kind):
        case DeadlineKind.ANSWER_TIMER:
            return take_back(conversation, holder, at=at)
        case DeadlineKind.BOT_SILENCE:
            return _pass_over(conversation, at=at)
        case _:
            transition_writer.write([_plain(conversation, at=at)])
            return conversation


def _holder_who_must_answer(conversation_id: int) -> int | None:
    """Lock the agent whose answer timer runs, and return their id. This precedes the lock of the
    conversation (lock order), and prevents pushes until the agent is unavailable."""
    agent_id = (
        Conversation.objects.filter(pk=conversation_id, deadline_kind=DeadlineKind.ANSWER_TIMER)
        .values_list("agent_id", flat=True)
        .first()
    )
    if agent_id is not None:
        Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    return agent_id


def take_back(conversation: Conversation, holder: int | None, *, at: datetime) -> Conversation:
    """Return an unanswered push to the front of the queue, make its agent unavailable, since it
    would be pushed to them again at once, and notify them (C25)."""
    if holder is None or conversation.agent_id != holder:
        raise Refused(Verb.REQUEUE, Status(conversation.status), "it has just moved")
    AgentChannel.objects.filter(
        agent=holder, channel=conversation.channel, is_available=True
    ).update(is_available=False, available_changed_at=at)
    status_log.note(holder, at=at)
    Notice.objects.create(
        agent_id=holder,
        conversation=conversation,
        kind=NoticeKind.UNANSWERED,
        channel=conversation.channel,
        created_at=at,
    )
    bus.publish(PushUnanswered(conversation_id=conversation.pk, agent_id=holder))
    return verbs.requeue(conversation.pk, at=at)


def _pass_over(conversation: Conversation, *, at: datetime) -> Conversation:
    """Ask agents to take over from a silent bot, repeatedly while they have no room. A bot never
    closes while the visitor waits for its answer (C1, C7)."""
    conversation.deadline_at = at + BOT_RETRY
    conversation.save(update_fields=["deadline_at"])
    bus.publish(BotFellSilent(conversation_id=conversation.pk))
    return conversation


def owe_answer(conversation: Conversation, *, at: datetime) -> None:
    """Start the bot's own timer anew: it, or people, owe the visitor an answer, so the visitor's
    timer does not run (C7). The caller has locked the row of a conversation with a bot."""
    conversation.deadline_at = at + timedelta(seconds=BOT_ANSWER_SECONDS)
    conversation.deadline_kind = DeadlineKind.BOT_SILENCE
    conversation.save(update_fields=["deadline_at", "deadline_kind"])
