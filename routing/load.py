"""The data that the decisions need, read from the database as plain data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import (
    Count,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from accounts import entitlement
from accounts.entitlement import Standing
from accounts.models import Agent, Channel, Group, open_at
from accounts.models.hours import IS_OPEN
from conversations.agents import ownership
from conversations.calls.channels import FOR_CALLS, IN_CALL, in_call
from conversations.lifecycle.transitions import WAITING, Status
from conversations.models import Contact, Conversation
from routing import address_shares, presence
from routing.decisions import AgentView, Need, StepLoad, obstacles
from routing.models import RuleStep

MEMBERS = Group.members.through.objects.order_by()
KNOWN = Agent.skills.through.objects.order_by()


def views(agents: QuerySet[Agent], channel: Channel, *, at: datetime) -> list[AgentView]:
    """Return agents as seen on a channel, able to take something or not, in one statement."""
    mine = Contact.objects.filter(agent_id=OuterRef("pk"), channel=channel).order_by()
    held = mine.filter(ended_at=None).values("agent_id").annotate(n=Count("pk")).values("n")
    last_end = mine.exclude(ended_at=None).order_by("-ended_at").values("ended_at")[:1]
    rows = (
        agents.annotate(
            own=FilteredRelation("channels", condition=Q(channels__channel=channel)),
            slots=Coalesce(F("own__slots"), 0),
            is_available=Coalesce(F("own__is_available"), Value(False)),
            held=Coalesce(Subquery(held), 0),
            idle_since=Coalesce(Subquery(last_end), F("own__available_changed_at")),
            is_reachable=presence.reachable(at, "pk"),
            of_groups=ArraySubquery(MEMBERS.filter(agent_id=OuterRef("pk")).values("group_id")),
            knows=ArraySubquery(KNOWN.filter(agent_id=OuterRef("pk")).values("skill_id")),
            websites=ownership.WEBSITES_OF,
            is_in_call=in_call("pk") if channel in FOR_CALLS else Value(False),
        )
        .select_related("user")
        .order_by()
    )
    return [
        AgentView(
            agent_id=row.pk,
            slots=row.slots,
            # In a call an agent is full on the channels of calls, as in ``HELD`` below.
            active=max(row.held, row.slots) if row.is_in_call else row.held,
            idle_since=row.idle_since,
            is_available=row.is_available,
            is_reachable=row.is_reachable,
            group_ids=frozenset(row.of_groups),
            skill_ids=frozenset(row.knows),
            standing=Standing(
                is_active=row.user.is_active,
                administers=row.user.administers,
                reads_only=row.user.reads_only,
                website_ids=frozenset(row.websites),
            ),
        )
        for row in rows
    ]


# What agents hold on a channel. In a call, they are full on the channels of calls.
BUSY = IN_CALL.format(agent="c.agent_id", channel="c.channel")
HELD = f"""(
        SELECT greatest(count(*), CASE WHEN {BUSY} THEN c.slots ELSE 0 END)
        FROM conversations_contact k
        WHERE k.agent_id = c.agent_id AND k.channel = c.channel AND k.ended_at IS NULL
    )"""

CONVERSES = entitlement.CONVERSES.format(user="u")

# ``EXISTS`` instead of a join: an agent with two open desks is one taker.
TAKERS = f"""
    SELECT c.agent_id, c.slots, {HELD}, coalesce((
        SELECT k.ended_at FROM conversations_contact k
        WHERE k.agent_id = c.agent_id AND k.channel = c.channel AND k.ended_at IS NOT NULL
        ORDER BY k.ended_at DESC LIMIT 1
    ), c.available_changed_at),
    ARRAY(SELECT o.group_id FROM accounts_group_members o WHERE o.agent_id = c.agent_id),
    ARRAY(SELECT s.skill_id FROM accounts_agent_skills s WHERE s.agent_id = c.agent_id)
    FROM accounts_group g
    JOIN accounts_group_members m ON m.group_id = g.id
    JOIN accounts_agentchannel c ON c.agent_id = m.agent_id AND c.channel = %(channel)s
    JOIN accounts_agent a ON a.id = m.agent_id
    JOIN accounts_user u ON u.id = a.user_id AND {CONVERSES}
    WHERE g.id = %(group)s AND {IS_OPEN.format(group="g")} AND c.is_available AND c.slots > 0
    AND EXISTS (
        SELECT FROM routing_deskconnection d
        WHERE d.agent_id = c.agent_id AND d.closed_at IS NULL AND d.heard_at > %(since)s
    )
"""


def takers(group_id: int, channel: Channel, *, at: datetime) -> list[AgentView]:
    """Return the connected and available agents of a group, full or not; none while it is closed.

    Nothing is locked. Plain SQL, as each drain runs it.
    """
    asked: dict[str, Any] = {
        "group": group_id,
        "channel": channel,
        "at": at,
        "since": at - presence.GRACE,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKERS, asked)
        rows = cursor.fetchall()
    return [
        AgentView(
            agent_id=pk,
            slots=slots,
            active=held,
            idle_since=idle_since,
            group_ids=frozenset(of_groups),
            skill_ids=frozenset(knows),
        )
        for pk, slots, held, idle_since, of_groups, knows in rows
    ]


TAKER = f"""
    SELECT c.slots, {HELD}
    FROM accounts_agentchannel c
    JOIN accounts_agent a ON a.id = c.agent_id
    JOIN accounts_user u ON u.id = a.user_id AND {CONVERSES}
    WHERE c.agent_id = %(agent)s AND c.channel = %(channel)s AND c.is_available AND c.slots > 0
    AND EXISTS (
        SELECT FROM routing_deskconnection d
        WHERE d.agent_id = c.agent_id AND d.closed_at IS NULL AND d.heard_at > %(since)s
    )
"""


def taker(agent_id: int, channel: Channel, *, at: datetime) -> AgentView | None:
    """Return one agent's slots if they are connected and available; lock their row first.

    Plain SQL, as each push runs it; the other fields of ``views`` are not needed there.
    """
    asked: dict[str, Any] = {"agent": agent_id, "channel": channel, "since": at - presence.GRACE}
    with connection.cursor() as cursor:
        cursor.execute(TAKER, asked)
        row = cursor.fetchone()
    return AgentView(agent_id=agent_id, slots=row[0], active=row[1]) if row else None


def need_of(conversation: Conversation, group: Group | None, *, at: datetime) -> Need:
    """Return what a waiting conversation requires; ``group`` is its own."""
    return Need(
        group_id=conversation.group_id,
        skill_ids=conversation.binding_skills,
        agent_id=conversation.agent_id if conversation.status == Status.ASSIGNED else None,
        is_open=group is None or group.is_open_at(at),
        opens_at=group.opens_at(at) if group else None,
        website_id=conversation.website_id,
    )


HEAD = """
    SELECT c.required_skills, c.are_skills_relaxed FROM conversations_conversation c
    WHERE c.group_id = %s AND c.channel = %s AND c.status = 'queued'
    ORDER BY c.queued_at, c.id LIMIT %s
"""


def oldest_needs(group_id: int, channel: Channel, *, limit: int) -> list[Need]:
    """Return what each of the oldest waiting conversations of an open group requires.

    Plain SQL, as each drain runs it.
    """
    with connection.cursor() as cursor:
        cursor.execute(HEAD, [group_id, channel, limit])
        return [_need(group_id, *row) for row in cursor.fetchall()]


def all_needs(group_id: int, channel: Channel) -> list[Need]:
    """Return what the waiting conversations of an open group require, each need once."""
    waiting = Conversation.objects.filter(
        group_id=group_id, channel=channel, status=Status.QUEUED
    ).order_by()
    rows = waiting.values_list("required_skills", "are_skills_relaxed").distinct()
    return [_need(group_id, *row) for row in rows]


def _need(group_id: int, required: Collection[int], is_relaxed: bool) -> Need:
    return Need(group_id=group_id, skill_ids=frozenset() if is_relaxed else frozenset(required))


def steps_of(
    steps: Sequence[RuleStep],
    channel: Channel,
    *,
    at: datetime,
    skills: Collection[int] = (),
    opened_from: str = "",
) -> list[StepLoad]:
    """Return the queues as an entry that requires ``skills`` finds them, from the address with the
    hash ``opened_from`` (empty if it does not matter).

    Exact while the caller holds the locks of the steps' rows.
    """
    counts = {
        row["queue"]: row
        for row in Conversation.objects.filter(queue__in=steps, status__in=WAITING)
        .values("queue")
        .annotate(
            waiting=Count("pk"),
            silent=Count("pk", filter=address_shares.silent(at)),
            # "" is no address: known persons and those who were answered do not count together.
            from_here=Count("pk", filter=Q(opened_from=opened_from) & ~Q(opened_from="")),
        )
        .order_by()
    }
    nobody = {"waiting": 0, "silent": 0, "from_here": 0}
    loads = []
    for step in steps:
        count = counts.get(step.pk, nobody)
        load = StepLoad(
            step_id=step.pk,
            places=step.places,
            waiting=count["waiting"],
            silent=count["silent"],
            free_slots=0,
            entered_at=step.entered_at,
            gives_places=step.group.keeps_places_when_closed or step.group.is_open_at(at),
            has_share=address_shares.has_share(step.places, count["from_here"]),
        )
        # With a free place no agent is needed. Entries hold the locks of these rows, and every read
        # here delays the next entry.
        if not load.has_place:
            load = replace(load, free_slots=free_slots(step.group_id, channel, skills, at=at))
        loads.append(load)
    return loads


def free_slots(
    group_id: int, channel: Channel, skills: Collection[int] = (), *, at: datetime
) -> int:
    """Count the slots of able agents for whom nothing waits: what a live visitor can have now."""
    need = Need(group_id=group_id, skill_ids=frozenset(skills))
    able = [view for view in takers(group_id, channel, at=at) if not obstacles(view, need)]
    if not able:
        return 0
    ids = [view.agent_id for view in able]
    theirs = MEMBERS.filter(open_at(at, "group__"), agent_id__in=ids).values("group_id")
    waiting = (
        Conversation.objects.filter(channel=channel)
        .filter(
            Q(status=Status.ASSIGNED, agent_id__in=ids)
            | Q(status=Status.QUEUED, group_id__in=theirs)
        )
        .values_list("group_id", "required_skills", "are_skills_relaxed", "agent_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    claimed = 0
    for group, required, is_relaxed, assignee, count in waiting:
        binding = frozenset() if is_relaxed else frozenset(required)
        claim = Need(group_id=group, skill_ids=binding, agent_id=assignee)
        # What nobody here could take does not compete for their slots.
        if any(not obstacles(view, claim) for view in able):
            claimed += count
    return max(sum(view.free for view in able) - claimed, 0)
