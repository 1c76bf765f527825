"""The transition writer: computes transitions in memory, then writes one or many of them.

This is the only place where a status changes. The verbs of ``conversations.lifecycle.verbs`` lock
rows, compute their transitions here and write them: rows, contacts, ledger, surveys, facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Min

from accounts.entitlement import Bar
from accounts.models import Agent
from conversations import surveys
from conversations.agents import ownership
from conversations.facts import (
    ConversationMoved,
    ConversationWaits,
    SlotFreed,
    TranslationsOwed,
)
from conversations.lifecycle import denormalized, ledger
from conversations.lifecycle.actors import Actor
from conversations.lifecycle.transitions import (
    KEEPS_RANK,
    NEW_ENTRIES,
    SYSTEM_MAY_CLOSE,
    TRANSITIONS,
    WAITING,
    DeadlineKind,
    EndReason,
    Refused,
    Status,
    Verb,
    target_of,
)
from conversations.models import ActorKind, Contact, Conversation, LanguageModelSettings
from core.db import bulk_sql
from core.events import bus
from core.events.facts import Fact

MOVED = frozenset(
    {
        "status",
        "group_id",
        "queue_id",
        "agent_id",
        "are_skills_relaxed",
        "is_return",
        "is_kept",
        "is_auto_close",
        "queued_at",
        "moved_at",
        "closed_at",
        "closed_by",
        "close_reason",
        "deadline_at",
        "deadline_kind",
    }
)
"""The columns that every move writes. ``Move.besides`` names further ones."""

Bars = Mapping[tuple[int, int], Bar | None]
"""Why an agent may not have conversations of a website, or None, by (website, agent)."""


@dataclass(frozen=True, slots=True)
class Move:
    """A transition of a conversation in memory, not written yet. ``source`` and ``*_before`` are
    the former values, ``ends`` is why its contact ends, if it had one, and ``besides`` are the
    changed columns that are not in ``MOVED``."""

    conversation: Conversation
    verb: Verb
    actor: Actor
    at: datetime
    data: dict[str, Any]
    source: Status | None = None
    agent_before: int | None = None
    group_before: int | None = None
    ends: EndReason | None = None
    besides: frozenset[str] = frozenset()

    @property
    def target(self) -> Status:
        return Status(self.conversation.status)


def begin(
    conversation: Conversation, verb: Verb, *, actor: Actor, at: datetime, data: dict[str, Any]
) -> Move:
    """Compute the first move of a conversation that has no row yet."""
    conversation.status = target_of(verb, None)
    conversation.moved_at = at
    denormalized.note(conversation, verb, at=at)
    return Move(conversation, verb, actor, at, data)


def change(
    conversation: Conversation,
    verb: Verb,
    *,
    actor: Actor,
    at: datetime,
    to_agent: Agent | None = None,
    deadline: tuple[datetime, DeadlineKind] | None = None,
    end_reason: EndReason | None = None,
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Move:
    """Compute the move that ``verb`` makes of a locked conversation; raise ``Refused`` if it is not
    possible. ``deadline`` and ``end_reason`` override the defaults; ``changes`` are written into
    the row, ``data`` into the ledger."""
    source = Status(conversation.status)
    target = target_of(verb, source)
    agent_before, group_before = conversation.agent_id, conversation.group_id
    _guard(conversation, verb, actor=actor, to_agent=to_agent)
    # The ledger never runs backwards, even if the clocks of two machines differ.
    at = max(at, conversation.moved_at)

    for name, value in changes.items():
        setattr(conversation, name, value)
    if to_agent is not None:
        conversation.agent = to_agent
    elif _is_nobodys(verb, target, is_kept=conversation.is_kept):
        conversation.agent = None
    if target in WAITING:
        if verb != Verb.DROP_SKILLS:  # It does not enter again: it goes on waiting.
            conversation.is_return = verb not in NEW_ENTRIES
        if verb == Verb.REQUEUE:
            conversation.queued_at = _front(conversation)
        elif verb not in KEEPS_RANK:
            conversation.queued_at = at
    if target == Status.QUEUED and conversation.group_id is None:
        raise Refused(verb, source, "it has no group to return to")
    if target == Status.CLOSED:
        conversation.closed_at = at
    conversation.deadline_at, conversation.deadline_kind = _deadline(
        conversation, verb, at=at, given=deadline
    )
    conversation.status = target
    conversation.moved_at = at
    noted = denormalized.note(conversation, verb, at=at)
    if target not in WAITING and conversation.opened_from:
        conversation.opened_from = ""
        noted |= {"opened_from"}

    reason = (end_reason or TRANSITIONS[verb].ends_contact) if source == Status.ACTIVE else None
    details = dict(data or {})
    if reason is not None:
        details["end_reason"] = reason.value
    besides = frozenset(changes) - MOVED | noted
    return Move(
        conversation, verb, actor, at, details, source, agent_before, group_before, reason, besides
    )


def _front(conversation: Conversation) -> datetime | None:
    """Return the rank before all waiting conversations of the group, or its own if that is
    earlier."""
    eldest: datetime | None = Conversation.objects.filter(
        group=conversation.group, channel=conversation.channel, status=Status.QUEUED
    ).aggregate(at=Min("queued_at"))["at"]
    mine = conversation.queued_at
    if eldest is None or mine is None:
        return mine
    # The smallest step of a moment in PostgreSQL: enough to come before the eldest, whatever its
    # number.
    return min(mine, eldest - timedelta(microseconds=1))


def _guard(conversation: Conversation, verb: Verb, *, actor: Actor, to_agent: Agent | None) -> None:
    """Raise ``Refused`` for conditions that the transition table cannot express."""
    status = Status(conversation.status)
    if verb == Verb.CLOSE and actor.kind == ActorKind.SYSTEM and status not in SYSTEM_MAY_CLOSE:
        raise Refused(
            verb, status, "no timer closes a conversation that waits or is on a desk (C1)"
        )
    if verb == Verb.SNOOZE and actor.kind == ActorKind.BOT:
        raise Refused(verb, status, "a bot cannot snooze (R38)")
    if verb == Verb.SNOOZE and not conversation.may_snooze:
        raise Refused(verb, status, "only asynchronous conversations can be snoozed (C23)")
    if (
        status == Status.ASSIGNED
        and verb in {Verb.PUSH, Verb.TAKE}
        and to_agent is not None
        and conversation.agent_id != to_agent.pk
    ):
        raise Refused(verb, status, "it is assigned to another agent")
    if verb == Verb.TRANSFER_TO_AGENT and to_agent and conversation.agent_id == to_agent.pk:
        # It would restart the 24 hours, again and again (C20).
        raise Refused(verb, status, "this agent already holds it")
    if verb in {Verb.TAKE, Verb.TRANSFER_TO_AGENT} and to_agent is not None:
        bar = ownership.bar_of(conversation, to_agent.pk)
        if bar is not None:
            raise Refused(verb, status, BARRED[bar])


BARRED = {
    Bar.DEACTIVATED: "this agent's account is deactivated",
    Bar.READS_ONLY: "this agent's role only reads",
    Bar.OTHER_WEBSITE: "this agent is of another website",
}


def _is_nobodys(verb: Verb, target: Status, *, is_kept: bool) -> bool:
    """Return whether ``verb`` leaves a conversation without an agent."""
    is_left = target == Status.SNOOZED and not is_kept
    return target == Status.QUEUED or is_left or verb == Verb.UNASSIGN


@dataclass(frozen=True, slots=True)
class WayBack:
    """The verb that brings a paused conversation back, and the arguments for ``change``, such as
    why it does not go to its agent."""

    verb: Verb
    how: dict[str, Any]


def way_back(conversation: Conversation, bars: Bars | None = None) -> WayBack:
    """Return how a paused conversation comes back: to its agent, if one keeps it and may have it,
    else to its group (C2, C34, C51). ``bars`` comes from ``bars_of`` when many come back."""
    is_snoozed = conversation.status == Status.SNOOZED
    to_agent = Verb.WAKE_TO_AGENT if is_snoozed else Verb.REOPEN
    to_group = Verb.WAKE_TO_GROUP if is_snoozed else Verb.REOPEN_TO_GROUP
    agent_id = conversation.agent_id
    if agent_id is None or (is_snoozed and not conversation.is_kept):
        return WayBack(to_group, {})
    read = ownership.bars([(conversation.website_id, agent_id)]) if bars is None else bars
    bar = read[conversation.website_id, agent_id]
    if bar is None:
        return WayBack(to_agent, {})
    return WayBack(to_group, {"data": {"reason": bar.value}, "is_kept": False})


def bars_of(conversations: Iterable[Conversation]) -> Bars:
    """Return why the agents of these conversations may not have them, in one query."""
    pairs = {(one.website_id, one.agent_id) for one in conversations if one.agent_id is not None}
    return ownership.bars(pairs)


def _deadline(
    conversation: Conversation,
    verb: Verb,
    *,
    at: datetime,
    given: tuple[datetime, DeadlineKind] | None,
) -> tuple[datetime | None, str]:
    """Return the deadline of a conversation after ``verb``, and its kind."""
    if given is not None:
        return given
    if verb == Verb.UNASSIGN:
        return conversation.deadline_at, conversation.deadline_kind
    target = TRANSITIONS[verb].target
    if target == Status.QUEUED:
        return skills_to_drop(conversation, at=at)
    if target == Status.ASSIGNED:
        hours = conversation.website.assignment_hours
        return at + timedelta(hours=hours), DeadlineKind.ASSIGNMENT_EXPIRY
    if target == Status.SOLVED:
        window = conversation.solved_window or timedelta(0)
        return at + window, DeadlineKind.SOLVED_WINDOW
    # Only a push starts the answer timer; a conversation that the agent took has none (C25).
    if verb == Verb.PUSH and conversation.group and conversation.group.answer_seconds:
        seconds = conversation.group.answer_seconds
        return at + timedelta(seconds=seconds), DeadlineKind.ANSWER_TIMER
    return None, ""


def skills_to_drop(conversation: Conversation, *, at: datetime) -> tuple[datetime | None, str]:
    """Return when a queued conversation drops its skills: ``skill_patience`` after its rank."""
    patience, since = conversation.skill_patience, conversation.queued_at
    if patience is None or since is None or not conversation.binding_skills:
        return None, ""
    return max(at, since + patience), DeadlineKind.SKILL_RELAXATION


# --- Writing ---------------------------------------------------------------------------------


def write(moves: Sequence[Move]) -> None:
    """Write moves of different conversations and publish their facts, in one transaction."""
    # Before the rows and the ledger lines are written, because it sets columns of both.
    closed = [move for move in moves if move.target == Status.CLOSED]
    denormalized.note_closures([(move.conversation, move.actor, move.data) for move in closed])
    # A conversation without a row comes from ``begin``, and is the only one of its call.
    if moves[0].conversation._state.adding:
        bulk_sql.add(moves[0].conversation)
    else:
        besides = frozenset().union(*(move.besides for move in moves))
        bulk_sql.update([move.conversation for move in moves], MOVED | besides)
    _end_contacts([move for move in moves if move.ends is not None])
    bulk_sql.insert([_contact(move) for move in moves if move.target == Status.ACTIVE])
    bulk_sql.insert(
        [
            ledger.new_event(
                move.conversation, move.verb, actor=move.actor, at=move.at, data=move.data
            )
            for move in moves
        ]
    )
    ends = {Status.SOLVED, Status.CLOSED}
    # UNASSIGN leaves a solved conversation solved: it was offered a survey when it became so.
    over = [move for move in moves if move.target in ends and move.source != move.target]
    if over:
        surveys.offer([move.conversation for move in over], at=over[0].at)
    bus.publish(*(fact for move in moves for fact in _facts(move)), *_owed_translations(moves))


# Plain SQL: it runs at each move that leaves a desk, and the ORM would compose it anew each time.
END = """
    UPDATE conversations_contact SET ended_at = %(at)s, end_reason = %(reason)s
    WHERE conversation_id = ANY(%(ids)s) AND ended_at IS NULL
"""


def _end_contacts(moves: Sequence[Move]) -> None:
    same: dict[tuple[EndReason | None, datetime], list[int]] = defaultdict(list)
    for move in moves:
        same[move.ends, move.at].append(move.conversation.pk)
    for (reason, at), ids in same.items():
        with connection.cursor() as cursor:
            cursor.execute(END, {"at": at, "reason": reason, "ids": ids})
            ended = cursor.rowcount
        # Roll back: the row says that a desk has it, and its contacts disagree.
        if ended != len(ids):
            raise RuntimeError(f"{ids} were on desks with {ended} open contacts")


def _contact(move: Move) -> Contact:
    conversation = move.conversation
    assert conversation.agent_id is not None
    assert conversation.queued_at is not None
    assert conversation.began_to_wait_at is not None
    return Contact(
        conversation=conversation,
        **denormalized.copied(conversation),
        agent_id=conversation.agent_id,
        group_id=conversation.group_id,
        channel=conversation.channel,
        queued_at=conversation.queued_at,
        began_to_wait_at=conversation.began_to_wait_at,
        started_at=move.at,
    )


def _owed_translations(moves: Sequence[Move]) -> Iterator[Fact]:
    """Yield what is owed to agents who get conversations that they may not be able to read."""
    gained = [
        move.conversation
        for move in moves
        if move.conversation.agent_id not in {None, move.agent_before}
    ]
    if not gained:
        return
    websites = {one.website_id for one in gained}
    chosen = LanguageModelSettings.objects.filter(website__in=websites, translates=True)
    translating = set(chosen.values_list("website", flat=True))
    for one in gained:
        if one.website_id in translating:
            yield TranslationsOwed(conversation_id=one.pk)


def _facts(move: Move) -> Iterator[Fact]:
    conversation = move.conversation
    yield ConversationMoved(
        conversation_id=conversation.pk,
        public_id=str(conversation.public_id),
        website_id=conversation.website_id,
        visitor_id=conversation.visitor_id,
        verb=move.verb.value,
        status=move.target.value,
        status_before=move.source.value if move.source else None,
        agent_id=conversation.agent_id,
        agent_before=move.agent_before,
        group_id=conversation.group_id,
        group_before=move.group_before,
    )
    if move.target in WAITING:
        yield ConversationWaits(
            channel=conversation.channel,
            group_id=conversation.group_id,
            agent_id=conversation.agent_id,
        )
    if move.source == Status.ACTIVE and move.agent_before is not None:
        yield SlotFreed(agent_id=move.agent_before)
