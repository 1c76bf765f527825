"""The verbs that move a conversation. Nothing else writes ``Conversation.status``.

Each verb locks the row, checks the table of ``conversations.transitions``, changes the row, opens
or ends the contact, writes the ledger and publishes what happened. Each is told who acts and when;
``Refused`` says that the state it found does not allow it. Locks are taken in one order: queue,
agent, conversation. A caller that puts a conversation on a desk by push holds the agent's row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min

from accounts.models import Agent, Group
from conversations import bus, ledger, surveys
from conversations.actors import SYSTEM, VISITOR, Actor
from conversations.facts import ConversationMoved, ConversationWaits, SlotFreed
from conversations.models import ActorKind, CloseReason, Contact, Conversation, Style
from conversations.transitions import (
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

BOT_PATIENCE = timedelta(minutes=5)  # R37
SNOOZE_LIMIT = timedelta(days=365)


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
    conversation.deadline_at, conversation.deadline_kind = _relaxation(conversation, at=at)
    _begin(conversation, Verb.QUEUE, at=at, data={} if places is None else {"places": places})


def greet(conversation: Conversation, *, at: datetime) -> None:
    """Store a new conversation as answered by a bot, which has five minutes of patience (R37)."""
    conversation.deadline_at = at + BOT_PATIENCE
    conversation.deadline_kind = DeadlineKind.BOT_INACTIVITY
    _begin(conversation, Verb.GREET, at=at, data={})


@transaction.atomic(savepoint=False)
def _begin(conversation: Conversation, verb: Verb, *, at: datetime, data: dict[str, Any]) -> None:
    conversation.opened_at = at
    _settle(conversation, verb, actor=VISITOR, at=at, before=(None, None, None), data=data)


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
) -> Conversation:
    """To another team: it waits there as a return, from now on (R199, C16). Skills that are asked
    for anew bind anew."""
    asks = {} if required_skills is None else {"required_skills": required_skills}
    return _move(
        conversation_id,
        Verb.TRANSFER_TO_GROUP,
        actor=actor,
        at=at,
        group_id=group.pk,
        queue_id=queue_id,
        are_skills_relaxed=False,
        **asks,
    )


def transfer_to_agent(
    conversation_id: int, *, agent: Agent, actor: Actor, at: datetime
) -> Conversation:
    """To a colleague, who has the website's hours to handle it (R88, R89)."""
    return _move(conversation_id, Verb.TRANSFER_TO_AGENT, actor=actor, at=at, to_agent=agent)


def release(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Back to the group's queue at its former rank (R92-R94). That the holder's connection is
    lost (R96) is for ``routing.desks`` to check."""
    return _move(conversation_id, Verb.RELEASE, actor=actor, at=at)


def expire(conversation_id: int, *, at: datetime) -> Conversation:
    """Its agent did not come within the website's hours: back to the group (R90, C20)."""
    return _move(conversation_id, Verb.EXPIRE, actor=SYSTEM, at=at)


def recall(conversation_id: int, *, at: datetime) -> Conversation:
    """A push that nobody answered in time: back to the front of the queue (C25)."""
    return _move(conversation_id, Verb.RECALL, actor=SYSTEM, at=at)


def relax(conversation_id: int, *, at: datetime) -> Conversation:
    """It has waited long enough for its skills: any member of the group may take it now."""
    return _move(conversation_id, Verb.RELAX, actor=SYSTEM, at=at, are_skills_relaxed=True)


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
    """End a snooze: kept -> assigned to its agent; else -> the group's queue (C2, C4)."""
    with transaction.atomic():
        kept = lock(conversation_id).is_kept
        verb = Verb.WAKE_TO_AGENT if kept else Verb.WAKE_TO_GROUP
        return _move(conversation_id, verb, actor=actor, at=at)


def set_pending(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Waits for the visitor, without a timer (C36)."""
    return _move(conversation_id, Verb.SET_PENDING, actor=actor, at=at)


def set_on_hold(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Waits for a third party, without a timer (C36)."""
    return _move(conversation_id, Verb.SET_ON_HOLD, actor=actor, at=at)


def reopen(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Pending, on hold or solved comes back, assigned to the same agent (C34)."""
    return _move(conversation_id, Verb.REOPEN, actor=actor, at=at)


def visitor_replied(conversation: Conversation, *, at: datetime) -> None:
    """What a visitor's message does to a paused conversation (C2, C34). The row is locked."""
    if conversation.status == Status.SNOOZED:
        wake(conversation.pk, actor=VISITOR, at=at)
    elif conversation.status in {Status.PENDING, Status.ON_HOLD, Status.SOLVED}:
        reopen(conversation.pk, actor=VISITOR, at=at)


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


# --- The one place where a status changes ----------------------------------------------------


@transaction.atomic
def _move(
    conversation_id: int,
    verb: Verb,
    *,
    actor: Actor,
    at: datetime,
    to_agent: Agent | None = None,
    deadline: tuple[datetime, DeadlineKind] | None = None,
    end_reason: EndReason | None = None,
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Conversation:
    conversation = lock(conversation_id)
    source = Status(conversation.status)
    target = target_of(verb, source)
    before = (source, conversation.agent_id, conversation.group_id)
    _guard(conversation, verb, actor=actor, to_agent=to_agent)
    # The ledger never runs backwards, even where two machines' clocks differ a little.
    at = max(at, conversation.moved_at)

    for name, value in changes.items():
        setattr(conversation, name, value)
    if to_agent is not None:
        conversation.agent = to_agent
    elif target == Status.QUEUED or (target == Status.SNOOZED and not conversation.is_kept):
        conversation.agent = None
    if target in WAITING:
        if verb != Verb.RELAX:  # which does not enter: it waits as it did
            conversation.is_return = verb not in NEW_ENTRIES
        if verb == Verb.RECALL:
            conversation.queued_at = _front(conversation)
        elif verb not in KEEPS_RANK:
            conversation.queued_at = at
    if target == Status.QUEUED and conversation.group_id is None:
        raise Refused(verb, source, "it has no group to go back to")
    if target == Status.CLOSED:
        conversation.closed_at = at
    conversation.deadline_at, conversation.deadline_kind = _deadline(
        conversation, verb, at=at, given=deadline
    )

    reason = end_reason or TRANSITIONS[verb].ends_contact
    if source == Status.ACTIVE and reason is not None:
        _end_contact(conversation, reason, at=at)
    told = dict(data or {})
    if source == Status.ACTIVE and reason is not None:
        told["end_reason"] = reason.value
    _settle(conversation, verb, actor=actor, at=at, before=before, data=told)
    return conversation


def _front(conversation: Conversation) -> datetime | None:
    """The rank before all that waits in its group; its own, if that is earlier."""
    eldest = Conversation.objects.filter(
        group_id=conversation.group_id, channel=conversation.channel, status=Status.QUEUED
    ).aggregate(at=Min("queued_at"))["at"]
    mine = conversation.queued_at
    if eldest is None or mine is None:
        return mine
    return min(mine, eldest - timedelta(microseconds=1))


def _guard(conversation: Conversation, verb: Verb, *, actor: Actor, to_agent: Agent | None) -> None:
    """What the table alone cannot say about whether ``verb`` is possible."""
    status = Status(conversation.status)
    if verb == Verb.CLOSE and actor.kind == ActorKind.SYSTEM and status not in SYSTEM_MAY_CLOSE:
        raise Refused(verb, status, "no timer closes what waits or is on a desk (C1)")
    if verb == Verb.SNOOZE and actor.kind == ActorKind.BOT:
        raise Refused(verb, status, "a bot cannot snooze (R38)")
    if verb == Verb.SNOOZE and not conversation.may_snooze:
        raise Refused(verb, status, "only asynchronous conversations are snoozed (C23)")
    if (
        status == Status.ASSIGNED
        and verb in {Verb.PUSH, Verb.TAKE}
        and to_agent is not None
        and conversation.agent_id != to_agent.pk
    ):
        raise Refused(verb, status, "it is assigned to somebody else")
    if verb == Verb.TRANSFER_TO_AGENT and to_agent is not None:
        if conversation.agent_id == to_agent.pk:
            # It would start his 24 hours anew, again and again (C20).
            raise Refused(verb, status, "it is this agent's already")
        if not _belongs_to(conversation.website_id, to_agent):
            raise Refused(verb, status, "this agent is of another website")


def _belongs_to(website_id: int, agent: Agent) -> bool:
    """Whether the agent may have a conversation of this website: a website is a closed room."""
    return agent.user.administers or agent.groups.filter(website_id=website_id).exists()


def _deadline(
    conversation: Conversation,
    verb: Verb,
    *,
    at: datetime,
    given: tuple[datetime, DeadlineKind] | None,
) -> tuple[datetime | None, str]:
    """When time itself will move a conversation that ``verb`` has brought where it is, and how."""
    if given is not None:
        return given
    target = TRANSITIONS[verb].target
    if target == Status.QUEUED:
        return _relaxation(conversation, at=at)
    if target == Status.ASSIGNED:
        hours = conversation.website.assignment_hours
        return at + timedelta(hours=hours), DeadlineKind.ASSIGNMENT_EXPIRY
    if target == Status.SOLVED:
        window = conversation.solved_window or timedelta(0)
        return at + window, DeadlineKind.SOLVED_WINDOW
    # Only a push asks for an answer in time: what an agent takes himself is not taken back (C25).
    if verb == Verb.PUSH and conversation.group and conversation.group.answer_seconds:
        seconds = conversation.group.answer_seconds
        return at + timedelta(seconds=seconds), DeadlineKind.ANSWER_TIMER
    return None, ""


def _relaxation(conversation: Conversation, *, at: datetime) -> tuple[datetime | None, str]:
    """When a queued conversation stops asking for its skills: after so long by its rank."""
    patience, since = conversation.skill_patience, conversation.queued_at
    if patience is None or since is None or not conversation.binding_skills:
        return None, ""
    return max(at, since + patience), DeadlineKind.SKILL_RELAXATION


def _settle(
    conversation: Conversation,
    verb: Verb,
    *,
    actor: Actor,
    at: datetime,
    before: tuple[Status | None, int | None, int | None],
    data: dict[str, Any],
) -> None:
    """Write the new state, its contact, its ledger line, its survey, and tell the world."""
    source, agent_before, group_before = before
    target = target_of(verb, source)
    conversation.status = target
    conversation.moved_at = at
    conversation.save()
    if target == Status.ACTIVE:
        assert conversation.agent_id is not None
        assert conversation.queued_at is not None
        Contact.objects.create(
            conversation=conversation,
            agent_id=conversation.agent_id,
            group_id=conversation.group_id,
            channel=conversation.channel,
            queued_at=conversation.queued_at,
            started_at=at,
        )
    ledger.record(conversation, verb, actor=actor, at=at, data=data)
    if target in {Status.SOLVED, Status.CLOSED}:
        surveys.offer(conversation, at=at)
    bus.publish(
        ConversationMoved(
            conversation_id=conversation.pk,
            public_id=str(conversation.public_id),
            website_id=conversation.website_id,
            visitor_id=conversation.visitor_id,
            verb=verb.value,
            status=target.value,
            status_before=source.value if source else None,
            agent_id=conversation.agent_id,
            agent_before=agent_before,
            group_id=conversation.group_id,
            group_before=group_before,
        )
    )
    if target in WAITING:
        bus.publish(
            ConversationWaits(
                conversation_id=conversation.pk,
                group_id=conversation.group_id,
                agent_id=conversation.agent_id,
            )
        )
    if source == Status.ACTIVE and agent_before is not None:
        bus.publish(SlotFreed(agent_id=agent_before))


def _end_contact(conversation: Conversation, reason: EndReason, *, at: datetime) -> None:
    ended = Contact.objects.filter(conversation=conversation, ended_at=None).update(
        ended_at=at, end_reason=reason
    )
    if ended != 1:
        raise RuntimeError(f"{conversation} was on a desk with {ended} open contacts")
