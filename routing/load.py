"""What the decisions need to know, read from the database as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import AgentChannel, Channel
from conversations.models import Contact, Conversation
from conversations.transitions import WAITING, Status
from routing import presence
from routing.decisions import AgentLoad, StepLoad
from routing.models import RuleStep


def agents_of(group_id: int, channel: Channel, *, at: datetime) -> list[AgentLoad]:
    """Reachable and available agents of a group, with their load on a channel. Not locked."""
    rows = _takers(channel, at=at).filter(agent__groups=group_id)
    return [AgentLoad(*row) for row in rows.values_list("agent_id", "slots", "held", "idle_since")]


def agent_on(agent_id: int, channel: Channel, *, at: datetime) -> AgentLoad | None:
    """One agent's load, if he is reachable and available on the channel; lock his row first."""
    row = (
        _takers(channel, at=at)
        .filter(agent_id=agent_id)
        .values_list("agent_id", "slots", "held", "idle_since")
        .first()
    )
    return AgentLoad(*row) if row else None


def _takers(channel: Channel, *, at: datetime):  # type: ignore[no-untyped-def]
    mine = Contact.objects.filter(agent_id=OuterRef("agent_id"), channel=channel).order_by()
    held = mine.filter(ended_at=None).values("agent_id").annotate(n=Count("pk")).values("n")
    ended = mine.exclude(ended_at=None)
    last_end = ended.values("agent_id").annotate(t=Max("ended_at")).values("t")
    return AgentChannel.objects.filter(
        presence.reachable(at), channel=channel, is_available=True, slots__gt=0
    ).annotate(
        held=Coalesce(Subquery(held), 0),
        idle_since=Coalesce(Subquery(last_end), "available_changed_at"),
    )


def steps_of(steps: Sequence[RuleStep], channel: Channel, *, at: datetime) -> list[StepLoad]:
    """The queues as an entry finds them. Exact while the caller holds the steps' rows."""
    waiting = dict(
        Conversation.objects.filter(queue__in=steps, status__in=WAITING)
        .values_list("queue")
        .annotate(n=Count("pk"))
        .order_by()
    )
    loads = []
    for step in steps:
        has_place = waiting.get(step.pk, 0) < step.places
        loads.append(
            StepLoad(
                step_id=step.pk,
                places=step.places,
                waiting=waiting.get(step.pk, 0),
                # Where a place is free nobody asks for an agent; entries hold these rows, and all
                # that is read here keeps the next one waiting.
                free_slots=0 if has_place else free_slots(step.group_id, channel, at=at),
                entered_at=step.entered_at,
            )
        )
    return loads


def free_slots(group_id: int, channel: Channel, *, at: datetime) -> int:
    """Slots of the group's reachable agents that nobody waits for: what a live visitor can have."""
    takers = agents_of(group_id, channel, at=at)
    free = sum(taker.free for taker in takers)
    if not free:
        return 0
    claims = Q(status=Status.QUEUED, group__members__in=[taker.agent_id for taker in takers]) | Q(
        status=Status.ASSIGNED, agent_id__in=[taker.agent_id for taker in takers]
    )
    claimed = Conversation.objects.filter(claims, channel=channel).values("pk").distinct().count()
    return max(free - claimed, 0)
