"""The safety sweep: it pushes what no event has pushed, and counts what it had to repair.

In a healthy system it finds nothing. What waits for an instant during a push is not a repair; only
what is found twice, while no drain is owed, is one (B1, R98).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from accounts.models import Website
from conversations.lifecycle.deadlines import database_now
from conversations.models import Conversation
from core.models import OutboxEntry
from routing import dispatch, invariants
from routing.models import Repair

logger = logging.getLogger(__name__)

NOTHING = timedelta(0)
EVERY = Q()
SECOND_LOOK = timedelta(seconds=2)
"""A push takes milliseconds; what is still there after this was missed by every event."""
OWED_FOR = timedelta(minutes=1)
"""A drain that has been owed for longer is not under way but lost."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """How often the sweep had to repair something, and when last."""

    count: int
    last_at: datetime | None


def of(websites: Collection[Website], only: Q = EVERY, *, since: datetime | None = None) -> Repairs:
    """Return the repairs of some websites, all of them or those from ``since`` on."""
    some = Repair.objects.filter(only, website__in=websites)
    if since is not None:
        some = some.filter(at__gte=since)
    totals = some.aggregate(count=Count("pk"), last_at=Max("at"))
    return Repairs(**totals)


def sweep(*, at: datetime) -> int:
    """Push all that can be pushed; return how many of them every event had missed."""
    suspects = _beside_a_free_agent(at)
    if suspects:
        time.sleep(SECOND_LOOK.total_seconds())
        at = database_now()
        # What was pushed during the pause was on its way, and is no fault.
        suspects &= _beside_a_free_agent(at)
    # What the outbox still owes is late, not lost: it is pushed below, but counts as no repair.
    if suspects and _is_being_drained(at):
        suspects = set()
    dispatch.drain_all()
    if not suspects:
        return 0
    left = suspects & _beside_a_free_agent(at)
    if left:
        logger.error("agents are free, but the safety sweep cannot push %s", sorted(left))
    return _record(suspects - left, at=at)


def _beside_a_free_agent(at: datetime) -> set[int]:
    lost = invariants.lost_capacity(at=at, patience=NOTHING)
    return {finding.conversation_id for finding in lost if finding.conversation_id}


def _is_being_drained(at: datetime) -> bool:
    """Return whether the outbox owes a reaction that pushes: it will run, or run again."""
    return OutboxEntry.objects.filter(
        reaction__startswith=f"{dispatch.__name__}.",
        done_at=None,
        dead_at=None,
        created_at__gt=at - OWED_FOR,
    ).exists()


def _record(mended: Collection[int], *, at: datetime) -> int:
    rows = [
        Repair(
            website_id=row.website_id,
            conversation_id=row.pk,
            agent_id=row.agent_id,
            waited=row.moved_at - row.queued_at,
            at=at,
        )
        for row in Conversation.objects.filter(pk__in=mended, agent__isnull=False)
        if row.queued_at is not None and row.agent_id is not None
    ]
    Repair.objects.bulk_create(rows)
    for row in rows:
        logger.warning(
            "safety sweep pushed conversation %s, which no agent had received", row.conversation_id
        )
    return len(rows)
