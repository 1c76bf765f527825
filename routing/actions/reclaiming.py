"""What an agent may not have any more goes back to its team, at once (C51).

An account was deactivated, a role was taken away, somebody left the last group of a website: what
lies on the desk or is assigned goes to the group's queue at its former rank, what is paused is left
to the team. Each change of an account or of a group publishes ``AccessChanged``, and this is its
reaction. A conversation that is given to somebody at the same instant is looked at once more by the
drain that follows (``dispatch.drain_waiting``); a change that no door has told (plain SQL, a shell)
is found by the sweep.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils import timezone

from accounts.models import Agent
from conversations.agents import ownership
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import SYSTEM
from conversations.lifecycle.transitions import PAUSED, Status
from core.db.retry import retried
from routing import presence

logger = logging.getLogger(__name__)

HELD = frozenset({Status.ACTIVE, Status.ASSIGNED})


def reclaim(*, agent_id: int) -> None:
    """Reaction: give back what this agent may not have; somebody deactivated is gone at once."""
    agent = Agent.objects.select_related("user").filter(pk=agent_id).first()
    if agent is None:
        return
    at = timezone.now()
    if not agent.user.is_active and presence.is_there(agent_id):
        presence.log_out(agent_id, at=at)
    for conversation_id in ownership.barred_of(agent_id):
        _give_back(conversation_id, agent_id, at=at)


@retried
def _give_back(conversation_id: int, agent_id: int, *, at: datetime) -> bool:
    """Look again under the locks: access may have been given back, or the conversation moved."""
    Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    conversation = verbs.lock(conversation_id)
    if conversation.agent_id != agent_id:
        return False
    bar = ownership.bar_of(conversation, agent_id)
    status = Status(conversation.status)
    if bar is None:
        return False
    if status in HELD:
        verbs.release(conversation_id, actor=SYSTEM, at=at, reason=bar.value)
    elif status in PAUSED:
        verbs.unassign(conversation_id, actor=SYSTEM, at=at, reason=bar.value)
    else:
        return False
    return True


def sweep() -> int:
    """Find what no door has told; returns how many agents had something that they may not have."""
    found = ownership.agents_with_barred()
    for agent_id in found:
        logger.warning("agent %s had conversations that they may not have", agent_id)
        reclaim(agent_id=agent_id)
    return len(found)
