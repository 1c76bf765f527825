"""The verbs that move a conversation. Nothing else changes ``Conversation.status``.

Each verb locks the row. ``conversations.lifecycle.transition_writer`` then checks the transition
table, changes the row, opens or ends the contact, writes the ledger and publishes the facts. A verb
takes the actor and the time, and raises ``Refused`` if the state does not allow it. Locks are taken
in one order: queue, agent, conversation. A caller that pushes a conversation to an agent holds the
lock of the agent's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Agent, Group, User
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
    """Lock the conversation's row until the end of the transaction, and return it.

    FOR NO KEY UPDATE, so that rows that refer to it (messages, contacts) can be written meanwhile.
    """
    return Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)


@dataclass(frozen=True, slots=True)
class Held:
    """The condition that ``user`` holds the conversation in one of ``statuses``, and that the
    visitor has not written after message ``seen``, the last one shown on the agent's page (C81).
    ``None`` skips that check."""

    user: User
    seen: int | None = None
    statuses: frozenset[Status] = frozenset({Status.ACTIVE})


def hold(conversation_id: int, held: Held, *, verb: Verb) -> Conversation:
    """Lock the conversation's row and return it; ``Refused`` for ``verb`` if it is not held."""
    conversation = lock(conversation_id)
    status, holder, seen = Status(conversation.status), conversation.agent, held.seen
    if status not in held.statuses or holder is None or holder.user_id != held.user.pk:
        raise Refused(verb, status, "another agent holds it now")
    # The number in the row first: it has been read already, and mostly spares the query.
    if seen is not None and conversation.last_seq > seen:
        news = conversation.messages.filter(author=Author.VISITOR, seq__gt=seen)
        if news.exists():
            raise Refused(verb, status, UNSEEN)
    return conversation


# --- Beginning -------------------------------------------------------------------------------


def queue(
    conversation: Conversation,
    *,
    group_id: int,
    queue_id: int,
    at: datetime,
    places: int | None = None,
) -> None:
    """Store a new conversation as waiting in a queue. The caller holds the queue's lock.

    ``places`` is how many may wait in the queue at this moment. The ledger stores it, so that
    invariant 3 can always be checked.
    """
    conversation.group_id = group_id
    conversation.queue_id = queue_id
    conversation.queued_at = at
    conversation.deadline_at, conversation.deadline_kind = transition_writer.skills_to_drop(
        conversation, at=at
    )
    _begin(conversation, Verb.QUEUE, at=at, data={} if places is None else {"places": places})


def start_bot(conversation: Conversation, *, at: datetime) -> None:
    """Store a new conversation with a bot. It closes if the visitor is silent for five minutes
    (R37)."""
    conversation.deadline_at = at + BOT_PATIENCE
    conversation.deadline_kind = DeadlineKind.BOT_INACTIVITY
    _begin(conversation, Verb.START_BOT, at=at, data={})


# Nothing here catches an error, so a savepoint in the caller's transaction would only cost two more
# round trips.
@transaction.atomic(savepoint=False)
def _begin(conversation: Conversation, verb: Verb, *, at: datetime, data: dict[str, Any]) -> None:
    conversation.opened_at = at
    if conversation.inbox is not None:
        data |= {"inbox": conversation.inbox.name, "channel": conversation.inbox.kind}
    transition_writer.write(
        [transition_writer.begin(conversation, verb, actor=VISITOR, at=at, data=data)]
    )


# --- Waiting and reaching a desk -------------------------------------------------------------


def escalate(
    conversation_id: int,
    *,
    group_id: int,
    queue_id: int,
    actor: Actor,
    at: datetime,
    places: int | None = None,
    reason: str = "",
    **changes: Any,
) -> Conversation:
    """Move a conversation from the bot to a queue (R34). The caller holds the queue's lock.
    ``places`` is as in ``queue``; ``reason`` is a fault of the bot, if it did not ask for this;
    ``changes`` are columns that the bot sets: ``required_skills``, the style."""
    data: dict[str, Any] = {} if places is None else {"places": places}
    return _move(
        conversation_id,
        Verb.ESCALATE,
        actor=actor,
        at=at,
        data=data | ({"reason": reason} if reason else {}),
        group_id=group_id,
        queue_id=queue_id,
        **changes,
    )


def push(
    conversation_id: int, *, agent: Agent, at: datetime, slots: int | None = None
) -> Conversation:
    """Put a waiting conversation on a desk (R47). The caller holds the agent's lock and has checked
    for a free slot. An assigned conversation goes only to its own agent.

    ``slots`` is the agent's number of slots at this moment. The ledger stores it, so that invariant
    2 can always be checked.
    """
    data = {} if slots is None else {"slots": slots}
    return _move(conversation_id, Verb.PUSH, actor=SYSTEM, at=at, to_agent=agent, data=data)


def take(conversation_id: int, *, agent: Agent, actor: Actor, at: datetime) -> Conversation:
    """Put an assigned conversation on its agent's desk at their request, even beyond their slots
    (C35)."""
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
    """Transfer to another group, where the conversation waits from now on as a return (R199, C16).
    ``required_skills`` replace the skills, and all of them are binding again. ``may_wait`` makes it
    asynchronous (C53). The ledger stores ``before``, to undo the transfer (C71)."""
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
    """Assign to a colleague, who has the website's ``assignment_hours`` to handle it (R88, R89).
    ``may_wait`` and ``before`` are as in ``transfer_to_group``."""
    changes: dict[str, Any] = {"is_asynchronous": True} if may_wait else {}
    return _move(
        conversation_id,
        Verb.TRANSFER_TO_AGENT,
        actor=actor,
        at=at,
        to_agent=agent,
        data={} if before is None else {"before": before},
        **changes,
    )


def release(conversation_id: int, *, actor: Actor, at: datetime, reason: str = "") -> Conversation:
    """Return to the group's queue at the former rank (R92-R94). ``routing.actions.assignment``
    checks that the holder is not connected (R96). ``reason`` goes into the ledger."""
    data = {"reason": reason} if reason else None
    return _move(conversation_id, Verb.RELEASE, actor=actor, at=at, data=data)


def unassign(conversation_id: int, *, actor: Actor, at: datetime, reason: str) -> Conversation:
    """Remove the agent from a paused conversation, which stays paused for the group (C51)."""
    details = {"reason": reason}
    return _move(conversation_id, Verb.UNASSIGN, actor=actor, at=at, data=details, is_kept=False)


def requeue(conversation_id: int, *, at: datetime) -> Conversation:
    """Return a push that was not answered in time to the front of the queue (C25)."""
    return _move(conversation_id, Verb.REQUEUE, actor=SYSTEM, at=at)


# --- Pausing ---------------------------------------------------------------------------------


def snooze(
    conversation_id: int,
    *,
    until: datetime,
    keep: bool,
    auto_close: bool,
    actor: Actor,
    at: datetime,
    held: Held | None = None,
) -> Conversation:
    """Set aside until ``until`` or until the visitor replies (R100); frees the slot (R102)."""
    if not at < until <= at + SNOOZE_LIMIT:
        raise Refused(Verb.SNOOZE, None, "the snooze must end in the future, within a year")
    return _move(
        conversation_id,
        Verb.SNOOZE,
        actor=actor,
        at=at,
        held=held,
        deadline=(until, DeadlineKind.SNOOZE_END),
        is_kept=keep,
        is_auto_close=auto_close,
    )


def wake(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """End a snooze. A kept conversation is assigned to its agent, if they may still have it; any
    other goes to the group's queue (C2, C4, C51)."""
    return _bring_back(conversation_id, Verb.WAKE_TO_GROUP, actor=actor, at=at)


def set_pending(
    conversation_id: int, *, actor: Actor, at: datetime, held: Held | None = None
) -> Conversation:
    """Set aside until the visitor replies, without a timer (C36)."""
    return _move(conversation_id, Verb.SET_PENDING, actor=actor, at=at, held=held)


def set_on_hold(
    conversation_id: int, *, actor: Actor, at: datetime, held: Held | None = None
) -> Conversation:
    """Set aside until a third party answers, without a timer (C36)."""
    return _move(conversation_id, Verb.SET_ON_HOLD, actor=actor, at=at, held=held)


def reopen(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Bring back a pending, on-hold or solved conversation: assigned to the same agent, if they may
    still have it, else to the group's queue (C34, C51)."""
    return _bring_back(conversation_id, Verb.REOPEN, actor=actor, at=at)


@transaction.atomic
def _bring_back(conversation_id: int, verb: Verb, *, actor: Actor, at: datetime) -> Conversation:
    """Check that ``verb`` is possible, then use the verb that ``way_back`` chooses."""
    conversation = lock(conversation_id)
    # ``way_back`` answers for every paused state, not for this verb only: without this check,
    # waking a pending conversation would reopen it.
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
    """Undo an agent's last action: assign the conversation to them again, in its former group
    (C71). ``routing.actions.undo`` checks that it was their own and that nothing happened since."""
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
    """Bring back a paused conversation after a visitor's message (C2, C34). The caller has locked
    the row."""
    if conversation.status == Status.SNOOZED:
        wake(conversation.pk, actor=VISITOR, at=at)
    elif conversation.status in {Status.PENDING, Status.ON_HOLD, Status.SOLVED}:
        reopen(conversation.pk, actor=VISITOR, at=at)


# --- Ending ----------------------------------------------------------------------------------


def finish(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Do what the desk's "Close" button does: close in style live, else solve and start the window
    (C33)."""
    with transaction.atomic():
        if lock(conversation_id).style == Style.LIVE:
            return close(conversation_id, reason=CloseReason.RESOLVED, actor=actor, at=at)
        return solve(conversation_id, actor=actor, at=at)


def solve(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Mark as solved. A reply reopens the conversation until the window ends (R149-R162)."""
    return _move(conversation_id, Verb.SOLVE, actor=actor, at=at)


def close(conversation_id: int, *, reason: CloseReason, actor: Actor, at: datetime) -> Conversation:
    """Close for good, from a bot, a desk, a snooze or solved only (C1)."""
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


# --- Implementation --------------------------------------------------------------------------


@transaction.atomic
def _move(
    conversation_id: int,
    verb: Verb,
    *,
    actor: Actor,
    at: datetime,
    held: Held | None = None,
    **how: Any,
) -> Conversation:
    """Lock, change and write one conversation, which must be ``held`` if that is given; ``how`` is
    as in ``transition_writer.change``."""
    conversation = lock(conversation_id) if held is None else hold(conversation_id, held, verb=verb)
    transition_writer.write(
        [transition_writer.change(conversation, verb, actor=actor, at=at, **how)]
    )
    return conversation


@transaction.atomic(savepoint=False)
def push_many(
    conversations: Sequence[Conversation], *, agent: Agent, at: datetime, slots: int
) -> None:
    """Push several conversations. The caller holds the locks of their rows and of the agent's."""
    details = {"slots": slots}
    transition_writer.write(
        [
            transition_writer.change(
                one, Verb.PUSH, actor=SYSTEM, at=at, to_agent=agent, data=details
            )
            for one in conversations
        ]
    )
