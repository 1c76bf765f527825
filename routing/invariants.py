"""Invariant: nothing waits that somebody could take (invariant 4, R98, B1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from conversations.lifecycle import invariants
from conversations.lifecycle.invariants import PATIENCE, Finding
from routing.presence import GRACE

# Plain SQL: written a second time, so that a fault of the dispatch does not hide itself. Agents
# with a free slot come first: when much waits they are few, and when they are many little waits.
LOST_CAPACITY = """
    WITH free AS MATERIALIZED (
        SELECT a.agent_id, a.channel FROM accounts_agentchannel a
        JOIN accounts_agent whose ON whose.id = a.agent_id
        JOIN accounts_user account ON account.id = whose.user_id AND account.is_active
            AND (account.is_superuser OR account.role NOT IN ('auditor', 'reviewer'))
        WHERE a.is_available AND a.slots > (
            SELECT count(*) FROM conversations_contact k
            WHERE k.agent_id = a.agent_id AND k.channel = a.channel AND k.ended_at IS NULL
        ) AND EXISTS (
            SELECT FROM routing_deskconnection d
            WHERE d.agent_id = a.agent_id AND d.closed_at IS NULL AND d.heard_at > %(silent)s
        ) AND NOT (a.channel IN ('call', 'video') AND EXISTS (
            SELECT FROM conversations_call o WHERE o.agent_id = a.agent_id AND o.ended_at IS NULL
        ))
    )
    SELECT c.id, format('is %%s, and agent %%s could take it', c.status, min(f.agent_id))
    FROM conversations_conversation c
    JOIN free f ON f.channel = c.channel
    WHERE c.status IN ('queued', 'assigned') AND c.moved_at <= %(late)s AND (
        (c.status = 'assigned' AND c.agent_id = f.agent_id AND EXISTS (
            SELECT FROM accounts_agent a JOIN accounts_user u ON u.id = a.user_id
            WHERE a.id = f.agent_id AND (u.is_superuser OR u.role = 'admin' OR EXISTS (
                SELECT FROM accounts_group_members m JOIN accounts_group g ON g.id = m.group_id
                WHERE m.agent_id = a.id AND g.website_id = c.website_id
            ))
        ))
        OR (c.status = 'queued' AND EXISTS (
            SELECT FROM accounts_group_members m JOIN accounts_group g ON g.id = m.group_id
            WHERE m.group_id = c.group_id AND m.agent_id = f.agent_id
            AND g.is_open = (g.hours_change_at IS NULL OR g.hours_change_at > %(at)s)
        ) AND (c.are_skills_relaxed OR c.required_skills <@ ARRAY(
            SELECT s.skill_id FROM accounts_agent_skills s WHERE s.agent_id = f.agent_id
        )))
    )
    GROUP BY c.id
"""


def lost_capacity(*, at: datetime, patience: timedelta = PATIENCE) -> Iterator[Finding]:
    """Yield what has waited for ``patience`` though somebody could take it at ``at`` (R98)."""
    yield from invariants.find(
        "lost_capacity", LOST_CAPACITY, at=at, late=at - patience, silent=at - GRACE
    )


def findings(*, at: datetime, patience: timedelta = PATIENCE) -> Iterator[Finding]:
    """Yield every violation at ``at``: those of ``conversations``, and lost capacity."""
    yield from invariants.findings(at=at, patience=patience)
    yield from lost_capacity(at=at, patience=patience)
