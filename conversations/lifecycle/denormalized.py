"""Denormalized columns that repeat the ledger, so that reports over years are fast.

They follow from the ledger and the messages alone. ``manage.py verify_ledger`` replays them verb by
verb; ``conversations.lifecycle.consistency`` recounts them in SQL (ADR 0027).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from accounts.hours import Schedule, open_seconds
from accounts.models import Group, schedule_of
from conversations.lifecycle.actors import Actor
from conversations.lifecycle.transitions import WAITING, WAITS_ON, Status, Verb
from conversations.models import ActorKind, Conversation

WAITS = frozenset({"began_to_wait_at"})
HELD = frozenset({"last_holder_id", "contact_count", "changed_hands"})
AT_CLOSURE = ("payee_id", "payee_role", "open_response_seconds", "open_resolution_seconds")
"""Columns fixed at the closure: later changes of settings do not affect them (C57)."""
COPIED = ("website_id", "rule_id", "style", "language")


def copied(conversation: Conversation) -> dict[str, Any]:
    """Return the columns that contacts and surveys copy from their conversation. They never
    change."""
    return {name: getattr(conversation, name) for name in COPIED}


def note(conversation: Conversation, verb: Verb, *, at: datetime) -> frozenset[str]:
    """Update the denormalized columns in memory after ``verb``; return the names of the changed
    ones."""
    match Status(conversation.status):
        case Status.ACTIVE:
            before = conversation.last_holder_id
            if before is not None and before != conversation.agent_id:
                conversation.changed_hands = True
            conversation.last_holder_id = conversation.agent_id
            conversation.contact_count += 1
            return HELD
        case status if status in WAITING and verb not in WAITS_ON:
            conversation.began_to_wait_at = at
            return WAITS
        case Status.BOT:
            conversation.is_begun_by_bot = True
        case Status.CLOSED:
            return frozenset(AT_CLOSURE)
    return frozenset()


# The agent who closed it, else the last agent who wrote (C28), with their current role. Plain SQL:
# one round trip for a batch of closures, which the ORM has no LATERAL join for.
PAYEES = """
    SELECT v.id, a.id, u.role
    FROM unnest(%s::bigint[], %s::bigint[]) v (id, user_id)
    CROSS JOIN LATERAL (SELECT CASE WHEN v.user_id IS NOT NULL
        THEN (SELECT a.id FROM accounts_agent a WHERE a.user_id = v.user_id)
        ELSE (SELECT m.agent_id FROM conversations_message m
              WHERE m.conversation_id = v.id AND m.author = 'agent' ORDER BY m.seq DESC LIMIT 1)
        END AS agent_id) credited
    JOIN accounts_agent a ON a.id = credited.agent_id
    JOIN accounts_user u ON u.id = a.user_id
"""


def note_closures(closed: Sequence[tuple[Conversation, Actor, dict[str, Any]]]) -> None:
    """Set on closed conversations, and in the data of their ledger lines, who is credited and how
    long the group was open (C57)."""
    _note_payees(closed)
    _note_opening_hours([one for one, _actor, _data in closed])
    for one, _actor, data in closed:
        data |= {name: getattr(one, name) for name in AT_CLOSURE}


def _note_payees(closed: Sequence[tuple[Conversation, Actor, dict[str, Any]]]) -> None:
    """Set the credited agent and their role. A closure by a manager credits nobody."""
    paying = {
        one.pk: (one, actor.user_id if actor.kind == ActorKind.AGENT else None)
        for one, actor, _data in closed
        if actor.kind != ActorKind.MANAGER
    }
    if not paying:
        return
    with connection.cursor() as cursor:
        cursor.execute(PAYEES, [[*paying], [user for _one, user in paying.values()]])
        for number, agent_id, role in cursor.fetchall():
            paying[number][0].payee_id, paying[number][0].payee_role = agent_id, role


def _note_opening_hours(closed: Sequence[Conversation]) -> None:
    """Set how much of the first response and of the resolution time was within the group's current
    opening hours. It takes one query if no group has any."""
    schedules = _schedules({one.group_id for one in closed if one.group_id is not None})
    for one in closed:
        schedule = schedules.get(one.group_id or 0)
        if schedule is None:
            continue
        assert one.closed_at is not None
        one.open_resolution_seconds = open_seconds(schedule, one.opened_at, one.closed_at)
        if one.first_human_reply_at is not None:
            one.open_response_seconds = open_seconds(
                schedule, one.opened_at, one.first_human_reply_at
            )


def _schedules(groups: Collection[int]) -> dict[int, Schedule]:
    """Return the hours of the groups that are not always open."""
    has_hours = Q(opening_hours__isnull=False) | Q(website__holidays__isnull=False)
    groups_with_hours = (
        Group.objects.filter(has_hours, pk__in=groups)
        .select_related("website")
        .prefetch_related("opening_hours", "holidays", "website__holidays")
        # The two joins repeat a group for each of its hours and holidays.
        .distinct()
    )
    return {group.pk: schedule_of(group) for group in groups_with_hours} if groups else {}
