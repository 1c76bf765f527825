"""That no capacity is lost: nothing waits that somebody could take (invariant 4, R98, B1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from conversations import invariants
from conversations.invariants import PATIENCE, Finding
from routing.presence import GRACE

# Said again in SQL, so that a fault of the dispatch does not hide itself.
LOST_CAPACITY = """
    SELECT c.id, format('is %%s, and agent %%s could take it', c.status, min(a.agent_id))
    FROM conversations_conversation c
    JOIN accounts_agentchannel a ON a.channel = c.channel AND a.is_available AND a.slots > (
        SELECT count(*) FROM conversations_contact k
        WHERE k.agent_id = a.agent_id AND k.channel = a.channel AND k.ended_at IS NULL
    )
    WHERE c.moved_at <= %(late)s AND EXISTS (
        SELECT FROM routing_deskconnection d
        WHERE d.agent_id = a.agent_id AND d.closed_at IS NULL AND d.heard_at > %(silent)s
    ) AND (
        (c.status = 'assigned' AND c.agent_id = a.agent_id)
        OR (c.status = 'queued' AND EXISTS (
            SELECT FROM accounts_group_members m
            WHERE m.group_id = c.group_id AND m.agent_id = a.agent_id
        ))
    )
    GROUP BY c.id
"""


def findings(*, at: datetime, patience: timedelta = PATIENCE) -> Iterator[Finding]:
    """Everything that should not be at ``at``: what ``conversations`` knows, and lost capacity."""
    yield from invariants.findings(at=at, patience=patience)
    yield from invariants.find(
        "lost_capacity", LOST_CAPACITY, late=at - patience, silent=at - GRACE
    )
