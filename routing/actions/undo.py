"""Undo: take back the last action on a conversation that was on the agent's own desk (C71)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Agent, User
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import TAKEN_BACK, Refused, Status, Verb
from conversations.models import ActorKind, Conversation, Event
from core.db.retry import retried

WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Act:
    """An agent's last action on a conversation on their desk, and where it came from."""

    verb: Verb
    group_id: int | None
    queue_id: int | None
    before: dict[str, Any]
    """What else a transfer changed: the required skills, and whether it is asynchronous."""


def last_act(conversation_id: int, *, user: User, at: datetime) -> Act | None:
    """Return the action that ``user`` may still take back, or ``None`` if it has moved since.

    A conversation that was pushed, woken, released or moved by somebody else has another last line
    in its ledger. Dropping a required skill does not count as a move.
    """
    # The ledger decides: whatever has moved it since has written a later line.
    lines = Event.objects.filter(conversation=conversation_id).exclude(verb=Verb.DROP_SKILLS)
    # Padded, because a conversation may have only one line, or none.
    last, before = [*lines.select_related("agent").order_by("-id")[:2], None, None][:2]
    if last is None or before is None or last.verb not in TAKEN_BACK:
        return None
    is_mine = (
        last.actor_kind == ActorKind.AGENT
        and last.actor_user_id == user.pk
        and before.to_status == Status.ACTIVE
        and before.agent is not None
        and before.agent.user_id == user.pk
    )
    if not is_mine or at - last.at > WINDOW:
        return None
    return Act(
        verb=Verb(last.verb),
        group_id=before.group_id,
        queue_id=before.queue_id,
        before=last.data.get("before", {}),
    )


@retried
def take_back(conversation_id: int, *, user: User, at: datetime) -> Conversation:
    """Return it to the desk that it left, beyond the agent's slots if need be (C35)."""
    agent = Agent.objects.select_for_update(no_key=True).get(user=user)
    conversation = verbs.lock(conversation_id)
    act = last_act(conversation_id, user=user, at=at)
    if act is None:
        raise Refused(Verb.TAKE_BACK, Status(conversation.status), "it has moved on")
    actor = actors.agent(user)
    verbs.take_back(
        conversation_id,
        agent=agent,
        group_id=act.group_id,
        queue_id=act.queue_id,
        actor=actor,
        at=at,
        **act.before,
    )
    return verbs.take(conversation_id, agent=agent, actor=actor, at=at)
