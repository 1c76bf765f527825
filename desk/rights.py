"""A user's rights on a conversation that they see: which buttons the desk shows.

The verbs check again under the lock; this only decides what is offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.models import Agent, User
from accounts.rights import websites_of
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, Style
from desk.tags import may_tag
from routing import presence
from routing.actions import by_supervisor, undo

RESUMABLE = frozenset({Status.PENDING, Status.ON_HOLD, Status.SOLVED})
RELEASABLE = frozenset({Status.ACTIVE, Status.ASSIGNED})
MOVED_AWAY = frozenset({Status.QUEUED, Status.ASSIGNED, Status.SNOOZED})
"""Where an undo does what no other button does: kept ones are woken, the others resumed."""


@dataclass(frozen=True, slots=True)
class Rights:
    """``release`` is shown but disabled if ``release_must_wait`` for a lost connection (C21)."""

    reply: bool
    snooze: bool
    pause: bool
    transfer: bool
    block: bool
    take: bool
    wake: bool
    resume: bool
    take_back: bool
    release: bool
    release_must_wait: bool
    unblock: bool
    tag: bool


def rights_of(
    conversation: Conversation, user: User, agent: Agent | None, *, at: datetime
) -> Rights:
    """Decide what the desk offers."""
    status = Status(conversation.status)
    is_mine = agent is not None and conversation.agent_id == agent.pk
    may_release = (
        user.steers
        and status in RELEASABLE
        and not is_mine
        and by_supervisor.oversees(conversation, user)
    )
    holder = conversation.agent_id
    return Rights(
        reply=is_mine and status == Status.ACTIVE,
        snooze=is_mine and status == Status.ACTIVE and conversation.may_snooze,
        pause=is_mine and status == Status.ACTIVE and conversation.style != Style.LIVE,
        transfer=is_mine and status in RELEASABLE,
        block=is_mine and status == Status.ACTIVE,
        take=is_mine and status == Status.ASSIGNED,
        wake=status == Status.SNOOZED and _may_wake(conversation, agent),
        resume=status in RESUMABLE and (is_mine or _is_left_to_team(conversation, agent)),
        take_back=status in MOVED_AWAY
        and not (status == Status.SNOOZED and conversation.is_kept)
        and undo.last_act(conversation.pk, user=user, at=at) is not None,
        release=may_release,
        release_must_wait=may_release
        and status == Status.ACTIVE
        and holder is not None
        and presence.is_connected(holder, at),
        unblock=websites_of(user).filter(pk=conversation.website_id).exists(),
        tag=may_tag(conversation, user, agent),
    )


def _may_wake(conversation: Conversation, agent: Agent | None) -> bool:
    """Return whether it is kept by this agent, or left to a team of theirs (C4)."""
    if agent is None or conversation.group_id is None:
        return False
    if conversation.is_kept:
        return conversation.agent_id == agent.pk
    return _is_left_to_team(conversation, agent)


def _is_left_to_team(conversation: Conversation, agent: Agent | None) -> bool:
    """Return whether it is paused without an agent, and ``agent`` is in its team (C4, C51)."""
    if agent is None or conversation.agent_id is not None or conversation.group_id is None:
        return False
    return agent.groups.filter(pk=conversation.group_id).exists()
