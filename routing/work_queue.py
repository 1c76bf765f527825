"""The waiting conversations that an agent could get: checked first, then locked.

Plain SQL, as this runs at each event that adds capacity, and Django would compose the same
statements each time. They state for one agent what ``decisions.obstacles`` states for any;
tests/routing/test_obstacles.py proves that both agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from accounts.entitlement import MAY_HAVE
from accounts.models import Channel, Group
from accounts.models.hours import IS_OPEN
from conversations.models import Conversation

MARGIN = 5
"""How many more of the oldest of each queue are examined than wanted, as some may be locked. Only
if all of these are locked, the whole queue is."""

ASSIGNED = f"""c.agent_id = %(agent)s AND c.channel = %(channel)s AND c.status = 'assigned'
    AND {MAY_HAVE.format(agent="%(agent)s", website="c.website_id")}"""

GROUPS_OF_AGENT = f"""
        SELECT g.id FROM accounts_group g JOIN accounts_group_members m ON m.group_id = g.id
        WHERE m.agent_id = %(agent)s AND {IS_OPEN.format(group="g")}"""

# A CASE: the planner takes it for as likely as not. It takes ``<@`` for so rare that it would
# rather read and sort a whole queue than walk along its index.
SUITS = """c.channel = %(channel)s AND c.status = 'queued'
    AND CASE WHEN c.are_skills_relaxed THEN true ELSE c.required_skills <@ ARRAY(
        SELECT k.skill_id FROM accounts_agent_skills k WHERE k.agent_id = %(agent)s
    ) END"""

QUEUED = f"{SUITS} AND c.group_id IN ({GROUPS_OF_AGENT})"

# The oldest of each queue are at the head of its index (``queued_by_group``). Reading and sorting
# all that waits made a push slower with longer queues. The rows are picked first and locked then,
# when the whole condition is checked again on their present state.
ELDEST = f"""c.id = ANY(ARRAY(
        SELECT head.id FROM ({GROUPS_OF_AGENT}) own CROSS JOIN LATERAL (
            SELECT c.id FROM conversations_conversation c WHERE c.group_id = own.id AND {SUITS}
            ORDER BY c.queued_at, c.id LIMIT %(reach)s
        ) head
    )) AND {QUEUED}"""

LOOK = f"""
    SELECT EXISTS (SELECT FROM conversations_conversation c WHERE {ASSIGNED}),
        EXISTS (SELECT FROM conversations_conversation c WHERE {QUEUED})
"""

LOCKED = """
    SELECT c.* FROM conversations_conversation c WHERE {where}
    ORDER BY c.queued_at, c.id LIMIT %(most)s FOR NO KEY UPDATE {patience}
"""

GROUPS = "SELECT * FROM accounts_group WHERE id = ANY(%s)"


def is_any(agent_id: int, channel: Channel, *, at: datetime) -> bool:
    """Return whether something waits that this agent could get with a free slot.

    Asked before the agent's row is locked: most drains find nothing, and would only queue up behind
    each other.
    """
    return any(_look(_asked(agent_id, channel, at)))


def next_for(agent_id: int, channel: Channel, *, at: datetime, most: int = 1) -> list[Conversation]:
    """Return the next conversations for an agent, their rows locked, their groups loaded.

    First those assigned to the agent (R88: they are promised), then the oldest in the queues of all
    their groups. Locked rows are skipped at first, so that drains do not queue up behind each
    other. But one that is locked for a moment (a message being stored) must not be missed: if only
    locked rows are left, wait for the oldest of them.
    """
    asked = _asked(agent_id, channel, at)
    is_assigned, is_queued = _look(asked)
    chosen: list[Conversation] = []
    if is_assigned:
        chosen = _locked(ASSIGNED, asked, most=most) or _waited_for(0, ASSIGNED, asked)
    if is_queued and len(chosen) < most:
        wanted = most - len(chosen)
        chosen += (
            _locked(ELDEST, asked | {"reach": wanted + MARGIN}, most=wanted)
            or _locked(QUEUED, asked, most=wanted)
            or ([] if chosen else _waited_for(1, QUEUED, asked))
        )
    groups = {group.pk: group for group in Group.objects.raw(GROUPS, [_groups_of(chosen)])}
    for conversation in chosen:
        if conversation.group_id is not None:
            conversation.group = groups[conversation.group_id]
    return chosen


def _waited_for(place: int, where: str, asked: dict[str, Any]) -> list[Conversation]:
    """Wait for the oldest locked row; if it has left meanwhile, for the next."""
    # Looked at again each time: the row that was waited for may have been taken.
    while _look(asked)[place]:
        locked = _locked(where, asked, most=1, patience="")
        if locked:
            return locked
    return []


def _asked(agent_id: int, channel: Channel, at: datetime) -> dict[str, Any]:
    return {"agent": agent_id, "channel": channel, "at": at}


def _look(asked: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether something is assigned to the agent, and whether something is queued."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, asked)
        is_assigned, is_queued = cursor.fetchone()
    return is_assigned, is_queued


def _locked(
    where: str, asked: dict[str, Any], *, most: int, patience: str = "SKIP LOCKED"
) -> list[Conversation]:
    query = LOCKED.format(where=where, patience=patience)
    return list(Conversation.objects.raw(query, asked | {"most": most}))


def _groups_of(conversations: list[Conversation]) -> list[int]:
    return list({one.group_id for one in conversations if one.group_id is not None})
