"""The verbs that move a conversation. Nothing else changes ``Conversation.status``.

Each verb locks the row and has ``conversations.lifecycle.transition_writer`` check the table of
transitions, change the row, open or end the contact, write the ledger and publish the facts. It
takes who acts and when, and raises ``Refused`` where the state does not allow it. Locks are taken
in one order: queue, agent, conversation. A caller that pushes a conversation to an agent holds the
agent's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Agent, Group
from conversations.lifecycle import transition_writer
from conversations.lifecycle.actors import SYSTEM, VISITOR, Actor
from conversations.lifecycle.transitions import (
    DeadlineKind,
    EndReason,
    Refused,
    Status,
    Verb,
    target_of,
)
from conversations.models import Author, CloseReason, Conversation, Style

BOT_PATIENCE = timedelta(minutes=5)  # R37
SNOOZE_LIMIT = timedelta(days=365)
UNSEEN = "the visitor has written meanwhile"


def lock(conversation_id: int) -> Conversation:
    """The conversation, its row locked until the end of the transaction.

    NO KEY UPDATE: rows that point to it (messages, contacts) may be written meanwhile.
    """
    return Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)


# --- How a conversation begins ---------------------------------------------------------------


def queue(
    conversation: Conversation,
    *,
    group_id: int,
    queue_id: int,
    at: datetime,
    places: int | None = None,
) -> None:
    """Store a new conversation as waiting in a queue. The caller holds the queue's row.

    ``places`` is how many the queue had when this one took one of them; the ledger keeps it, so
    that invariant 3 can be checked for ever.
    """
    conversation.group_id = group_id
    conversation.queue_id = queue_id
    conversation.queued_at = at
    conversation.deadline_at, conversation.deadline_kind = transition_writer.skills_to_drop(
        conversation, at=at
    )
    _begin(conversation, Verb.QUEUE, at=at, data={} if places is None else {"places": places})


def start_bot(conversation: Conversation, *, at: datetime) -> None:
    """Store a new conversation as answered by a bot, which has five minutes of patience (R37)."""
    conversation.deadline_at = at + BOT_PATIENCE
    conversation.deadline_kind = DeadlineKind.BOT_INACTIVITY
    _begin(conversation, Verb.GREET, at=at, data={})


@transaction.atomic(savepoint=False)
def _begin(conversation: Conversation, verb: Verb, *, at: datetime, data: dict[str, Any]) -> None:
    conversation.opened_at = at
    transition_writer.write(
        [transition_writer.begin(conversation, verb, actor=VISITOR, at=at, data=data)]
    )


# --- Waiting, and reaching a desk ------------------------------------------------------------


def escalate(
    conversation_id: int,
    *,
    group_id: int,
    queue_id: int,
    actor: Actor,
    at: datetime,
    places: int | None = None,
    **changes: Any,
) -> Conversation:
    """From the bot to a queue of humans (R34). The caller holds the queue's row; ``places`` as in
    ``queue``, ``changes`` are what the bot has found out: ``required_skills``, the way it ends."""
    return _move(
        conversation_id,
        Verb.ESCALATE,
        actor=actor,
        at=at,
        data={} if places is None else {"places": places},
        group_id=group_id,
        queue_id=queue_id,
        **changes,
    )


def push(
    conversation_id: int, *, agent: Agent, at: datetime, slots: int | None = None
) -> Conversation:
    """Put a waiting conversation on a desk (R47). The caller holds the agent's row and has seen a
    free slot; an assigned conversation goes to its own agent only.

    ``slots`` is how many the agent had just then; the ledger keeps it, so that invariant 2 can be
    checked for ever.
    """
    data = {} if slots is None else {"slots": slots}
    return _move(conversation_id, Verb.PUSH, actor=SYSTEM, at=at, to_agent=agent, data=data)


def take(conversation_id: int, *, agent: Agent, actor: Actor, at: datetime) -> Conversation:
    """The agent pulls what is assigned to him, beyond his slots if he wants to (C35)."""
    return _move(conversation_id, Verb.TAKE, actor=actor, at=at, to_agent=agent)


def transfer_to_group(
    conversation_id: int,
    *,
    group: Group,
    queue_id: int | None,
    actor: Actor,
    at: datetime,
    required_skills: list[int] | None = None,
    may_wait: bool = False,
    before: dict[str, Any] | None = None,
) -> Conversation:
    """To another team: it waits there as a return, from now on (R199, C16). Skills that are asked
    for anew bind anew; where it ``may_wait`` it is asynchronous from now on (C53). The ledger keeps
    what was ``before``, for whoever takes the transfer back (C71)."""
    asks: dict[str, Any] = {} if required_skills is None else {"required_skills": required_skills}
    asks |= {"is_asynchronous": True} if may_wait else {}
    return _move(
        conversation_id,
        Verb.TRANSFER_TO_GROUP,
        actor=actor,
        at=at,
        data={} if before is None else {"before": before},
        group_id=group.pk,
        queue_id=queue_id,
        are_skills_relaxed=False,
        **asks,
    )


def transfer_to_agent(
    conversation_id: int,
    *,
    agent: Agent,
    actor: Actor,
    at: datetime,
    may_wait: bool = False,
    before: dict[str, Any] | None = None,
) -> Conversation:
    """To a colleague, who has the website's hours to handle it (R88, R89); where it ``may_wait`` it
    is asynchronous from now on (C53). ``before`` as in ``transfer_to_group``."""
    return _move(
        conversation_id,
        Verb.TRANSFER_TO_AGENT,
        actor=actor,
        at=at,
        to_agent=agent,
        data={} if before is None else {"before": before},
        **({"is_asynchronous": True} if may_wait else {}),
    )


def release(conversation_id: int, *, actor: Actor, at: datetime, reason: str = "") -> Conversation:
    """Back to the group's queue at its former rank (R92-R94). That the holder's connection is
    lost (R96) is for ``routing.actions.assignment`` to check; ``reason`` goes into the ledger."""
    data = {"reason": reason} if reason else None
    return _move(conversation_id, Verb.RELEASE, actor=actor, at=at, data=data)


def unassign(conversation_id: int, *, actor: Actor, at: datetime, reason: str) -> Conversation:
    """Leave a paused conversation to the team, as paused as it is (C51)."""
    told = {"reason": reason}
    return _move(conversation_id, Verb.UNASSIGN, actor=actor, at=at, data=told, is_kept=False)


def requeue(conversation_id: int, *, at: datetime) -> Conversation:
    """A push that nobody answered in time: back to the front of the queue (C25)."""
    return _move(conversation_id, Verb.RECALL, actor=SYSTEM, at=at)


# --- Pausing ---------------------------------------------------------------------------------


def snooze(
    conversation_id: int,
    *,
    until: datetime,
    keep: bool,
    auto_close: bool,
    actor: Actor,
    at: datetime,
) -> Conversation:
    """Set aside until ``until`` or until the visitor replies (R100); frees the slot (R102)."""
    if not at < until <= at + SNOOZE_LIMIT:
        raise Refused(Verb.SNOOZE, None, "the snooze must end in the future, within a year")
    return _move(
        conversation_id,
        Verb.SNOOZE,
        actor=actor,
        at=at,
        deadline=(until, DeadlineKind.SNOOZE_END),
        is_kept=keep,
        is_auto_close=auto_close,
    )


def wake(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """End a snooze: kept -> assigned to its agent, if they may still have it; else -> the group's
    queue (C2, C4, C51)."""
    return _bring_back(conversation_id, Verb.WAKE_TO_GROUP, actor=actor, at=at)


def set_pending(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Waits for the visitor, without a timer (C36)."""
    return _move(conversation_id, Verb.SET_PENDING, actor=actor, at=at)


def set_on_hold(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Waits for a third party, without a timer (C36)."""
    return _move(conversation_id, Verb.SET_ON_HOLD, actor=actor, at=at)


def reopen(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Pending, on hold or solved comes back: assigned to the same agent, if they may still have
    it; else to the group's queue (C34, C51)."""
    return _bring_back(conversation_id, Verb.REOPEN, actor=actor, at=at)


@transaction.atomic
def _bring_back(conversation_id: int, verb: Verb, *, actor: Actor, at: datetime) -> Conversation:
    """What ``verb`` asks for, by the way that is open to the conversation."""
    conversation = lock(conversation_id)
    target_of(verb, Status(conversation.status))
    way = transition_writer.way_back(conversation)
    return _move(conversation_id, way.verb, actor=actor, at=at, **way.how)


def take_back(
    conversation_id: int,
    *,
    agent: Agent,
    group_id: int | None,
    queue_id: int | None,
    actor: Actor,
    at: datetime,
    **changes: Any,
) -> Conversation:
    """Undo what an agent has just done: assign the conversation to them again, in its former group
    (C71). ``routing.actions.undo`` checks that it was their own last act, and nobody's since."""
    return _move(
        conversation_id,
        Verb.TAKE_BACK,
        actor=actor,
        at=at,
        to_agent=agent,
        group_id=group_id,
        queue_id=queue_id,
        **changes,
    )


def visitor_replied(conversation: Conversation, *, at: datetime) -> None:
    """What a visitor's message does to a paused conversation (C2, C34). The row is locked."""
    if conversation.status == Status.SNOOZED:
        wake(conversation.pk, actor=VISITOR, at=at)
    elif conversation.status in {Status.PENDING, Status.ON_HOLD, Status.SOLVED}:
        reopen(conversation.pk, actor=VISITOR, at=at)


def require_seen(conversation: Conversation, seen: int | None, *, verb: Verb) -> None:
    """Refuse to set aside or end what the visitor has written to after message ``seen``, the last
    that the agent's page has shown (C81). The row is locked; ``None`` asks nothing."""
    if seen is None or conversation.last_seq <= seen:
        return
    if conversation.messages.filter(author=Author.VISITOR, seq__gt=seen).exists():
        raise Refused(verb, Status(conversation.status), UNSEEN)


# --- Ending ----------------------------------------------------------------------------------


def finish(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """The desk's "Close": closes in style live, else solves and lets the window run (C33)."""
    with transaction.atomic():
        if lock(conversation_id).style == Style.LIVE:
            return close(conversation_id, reason=CloseReason.RESOLVED, actor=actor, at=at)
        return solve(conversation_id, actor=actor, at=at)


def solve(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Solved; the visitor may come back until the window ends (R149-R162)."""
    return _move(conversation_id, Verb.SOLVE, actor=actor, at=at)


def close(conversation_id: int, *, reason: CloseReason, actor: Actor, at: datetime) -> Conversation:
    """Close for good. Only what is with a bot, on a desk, snoozed or solved closes (C1)."""
    end_reason = EndReason.BLOCKED if reason == CloseReason.BLOCKED else EndReason.CLOSED
    return _move(
        conversation_id,
        Verb.CLOSE,
        actor=actor,
        at=at,
        end_reason=end_reason,
        closed_by=actor.kind,
        close_reason=reason,
    )


# --- How a verb is done ----------------------------------------------------------------------


@transaction.atomic
def _move(
    conversation_id: int, verb: Verb, *, actor: Actor, at: datetime, **how: Any
) -> Conversation:
    """One conversation: lock, change, write; ``how`` as in ``moves.change``."""
    conversation = lock(conversation_id)
    transition_writer.write(
        [transition_writer.change(conversation, verb, actor=actor, at=at, **how)]
    )
    return conversation


@transaction.atomic
def push_many(
    conversations: Sequence[Conversation], *, agent: Agent, at: datetime, slots: int
) -> None:
    """``push`` for several at once, their rows locked by the caller, who holds the agent's too."""
    told = {"slots": slots}
    transition_writer.write(
        [
            transition_writer.change(one, Verb.PUSH, actor=SYSTEM, at=at, to_agent=agent, data=told)
            for one in conversations
        ]
    )
