"""Queries about the conversations that agents have, and may have (``accounts.entitlement``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef

from accounts.entitlement import MAY_HAVE, Bar, Standing, bar
from accounts.models import Agent, Group
from conversations.models import Conversation

WEBSITES_OF = ArraySubquery(
    Group.objects.filter(members=OuterRef("pk")).order_by().values("website_id")
)

# Conversations that agents have and may not have: for all agents, or for one. Plain SQL: they share
# ``MAY_HAVE`` with the statement that gives an agent work, so that both follow one rule.
BARRED = f"""
    SELECT DISTINCT c.agent_id FROM conversations_conversation c
    WHERE c.agent_id IS NOT NULL AND c.status <> 'closed'
    AND NOT {MAY_HAVE.format(agent="c.agent_id", website="c.website_id")}
"""
HELD = f"""
    SELECT c.id FROM conversations_conversation c
    WHERE c.agent_id = %s AND c.status <> 'closed'
    AND NOT {MAY_HAVE.format(agent="c.agent_id", website="c.website_id")}
    ORDER BY c.queued_at, c.id
"""
# What is on an agent's desk, for sockets and live reactions, whose event loop the ORM would block.
ON_DESK = """
    SELECT c.id, c.public_id, c.visitor_id FROM conversations_conversation c
    WHERE c.agent_id = %(agent)s AND c.status = 'active'
"""


def standings(agent_ids: Collection[int]) -> Mapping[int, Standing]:
    """Return the standing of these agents, in one query."""
    rows = Agent.objects.filter(pk__in=agent_ids).select_related("user").annotate(of=WEBSITES_OF)
    return {
        agent.pk: Standing(
            is_active=agent.user.is_active,
            administers=agent.user.administers,
            reads_only=agent.user.reads_only,
            website_ids=frozenset(agent.of),
        )
        for agent in rows.order_by()
    }


def bar_of(conversation: Conversation, agent_id: int) -> Bar | None:
    """Return why an agent may not have ``conversation`` now, or None."""
    return bars([(conversation.website_id, agent_id)])[conversation.website_id, agent_id]


def bars(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], Bar | None]:
    """Return the same for many (website, agent) pairs, in one query."""
    known = standings({agent_id for _website, agent_id in pairs})
    return {(website, agent): bar(known[agent], website) for website, agent in pairs}


def agents_with_barred() -> list[int]:
    """Return the agents who have conversations that they may not have."""
    with connection.cursor() as cursor:
        cursor.execute(BARRED)
        return [agent_id for (agent_id,) in cursor.fetchall()]


def barred_of(agent_id: int) -> list[int]:
    """Return an agent's conversations that they may not have, the longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, [agent_id])
        return [number for (number,) in cursor.fetchall()]
