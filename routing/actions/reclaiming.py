"""Return to the team, at once, what an agent may no longer have (C51).

This follows when an account is deactivated, a role is withdrawn, or somebody leaves the last
group of a website. Conversations on the desk or assigned go to the group's queue at their former
rank; paused ones are left to the team. Each change of an account or a group publishes
``AccessChanged``, and this is its reaction. A conversation that is given to somebody at the same
instant is checked again by the drain that follows (``dispatch.drain_waiting``). The sweep finds
changes made without an entry point (plain SQL, a shell).
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
    """Reaction: give back what this agent may not have; log out an agent at once who no
    longer converses."""
    agent = Agent.objects.select_related("user").filter(pk=agent_id).first()
    if agent is None:
        return
    at = timezone.now()
    # ``is_there``: a reaction may run twice, and must announce one logout.
    if not agent.user.converses and presence.is_there(agent_id):
        presence.log_out(agent_id, at=at)
    for conversation_id in ownership.barred_of(agent_id):
        _give_back(conversation_id, agent_id, at=at)


@retried
def _give_back(conversation_id: int, agent_id: int, *, at: datetime) -> bool:
    """Check again under the locks: access may be back, or the conversation may have moved."""
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
    """Reclaim what no entry point reported; return how many agents had barred conversations."""
    agents = ownership.agents_with_barred()
    for agent_id in agents:
        logger.warning("took back conversations that agent %s may no longer hold", agent_id)
        reclaim(agent_id=agent_id)
    return len(agents)
