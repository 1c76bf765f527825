"""Rows by the thousand, created by SQL: a website with many groups, and conversations in several
states."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Agent, AgentChannel, Channel, Group, User, Website
from routing.models import DeskConnection, DeskPresence, DistributionRule, RuleStep

GROUPS_OF_AN_AGENT = 2

VISITORS = """
    INSERT INTO conversations_visitor
        (public_id, website_id, token_hash, address_hash, name, language, created_at)
    SELECT gen_random_uuid(), %(website)s, md5(random()::text || n) || md5(n::text), '', '', 'en',
        now()
    FROM generate_series(1, %(number)s) n
    RETURNING id
"""
CONVERSATIONS = """
    INSERT INTO conversations_conversation
        (public_id, website_id, visitor_id, status, channel, style, is_asynchronous, language,
         page_url, rule_id, queue_id, group_id, agent_id, required_skills, are_skills_relaxed,
         is_return, is_kept, is_auto_close, opened_at, queued_at, moved_at, closed_at, closed_by,
         close_reason, deadline_at, deadline_kind, last_seq, visitor_read_seq, agent_read_seq,
         began_to_wait_at)
    SELECT gen_random_uuid(), %(website)s, v.id, %(status)s, 'chat', 'live', true, 'en',
        '', s.rule_id, s.id, s.group_id, NULL, '{{}}', false, false, false, {is_auto_close},
        now() - interval '2 hours', now() - interval '2 hours' + v.n * interval '1 ms',
        now() - interval '1 hour', {closed_at}, {closed_by}, {close_reason}, {deadline}, 0, 0, 0,
        now() - interval '2 hours'
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS n FROM conversations_visitor
        WHERE id > %(after)s
    ) v
    JOIN (
        SELECT s.*, row_number() OVER (ORDER BY s.id) - 1 AS n, count(*) OVER () AS steps
        FROM routing_rulestep s
    ) s ON s.n = v.n %% s.steps
"""
WAITS = {
    "is_auto_close": "false",
    "closed_at": "NULL::timestamptz",
    "closed_by": "''",
    "close_reason": "''",
    "deadline": "NULL::timestamptz, ''",
}
SLEEPS = WAITS | {"is_auto_close": "v.n %% 2 = 0", "deadline": "now(), 'snooze_end'"}
IS_OVER = WAITS | {"closed_at": "now()", "closed_by": "'agent'", "close_reason": "'resolved'"}

CONTACTS = """
    INSERT INTO conversations_contact
        (conversation_id, website_id, rule_id, style, language, agent_id, group_id, channel,
         queued_at, began_to_wait_at, started_at, ended_at, end_reason)
    SELECT c.id, c.website_id, c.rule_id, c.style, c.language,
        (SELECT min(id) FROM accounts_agent) + c.id %% %(agents)s, c.group_id, 'chat',
        c.queued_at, c.queued_at, c.queued_at, c.moved_at, 'closed'
    FROM conversations_conversation c WHERE c.id > %(after)s
"""
EVENTS = """
    INSERT INTO conversations_event
        (conversation_id, website_id, verb, at, actor_kind, to_status, group_id, queue_id, data)
    SELECT c.id, c.website_id, 'queue', c.opened_at, 'visitor', 'queued', c.group_id,
        c.queue_id, '{}'
    FROM conversations_conversation c WHERE c.id > %(after)s
"""


@transaction.atomic
def prepare(*, groups: int, agents: int, slots: int) -> None:
    """Create one website. Each agent sits at a desk, is available, and is in two groups."""
    now = timezone.now()
    website = Website.objects.create(key="bench", name="Bench", language="en")
    rule = DistributionRule.objects.create(website=website, name="Bench")
    teams = [Group(website=website, name=f"Team {n}") for n in range(groups)]
    Group.objects.bulk_create(teams)
    steps = [
        RuleStep(rule=rule, group=team, position=n, places=10_000) for n, team in enumerate(teams)
    ]
    RuleStep.objects.bulk_create(steps)
    users = [User(username=f"bench-{n}", password="!") for n in range(agents)]
    User.objects.bulk_create(users)
    made = [Agent(user=user, display_name=user.username) for user in users]
    Agent.objects.bulk_create(made)
    Group.members.through.objects.bulk_create(
        Group.members.through(group=teams[(n + step * 7) % groups], agent=agent)
        for n, agent in enumerate(made)
        for step in range(GROUPS_OF_AN_AGENT)
    )
    AgentChannel.objects.bulk_create(
        AgentChannel(
            agent=agent,
            channel=Channel.CHAT,
            slots=slots,
            is_available=True,
            available_changed_at=now,
        )
        for agent in made
    )
    _sit_down(made, now)


def _sit_down(agents: list[Agent], now: datetime) -> None:
    DeskConnection.objects.bulk_create(
        DeskConnection(id=uuid.uuid4(), agent=agent, opened_at=now, heard_at=now)
        for agent in agents
    )
    DeskPresence.objects.bulk_create(
        DeskPresence(agent=agent, is_connected=True, changed_at=now) for agent in agents
    )


def wait(number: int) -> None:
    """Create ``number`` waiting conversations, spread over all queues."""
    _conversations(number, "queued", WAITS)


def snooze(number: int) -> None:
    """Create snoozed conversations whose time has ended: half will close, half return to their
    groups."""
    _conversations(number, "snoozed", SLEEPS)


def close(number: int) -> None:
    """Create closed conversations, each with a contact and a ledger line."""
    after = _conversations(number, "closed", IS_OVER)
    _run(CONTACTS, after=after, agents=Agent.objects.count())
    _run(EVENTS, after=after)


def clear_waiting() -> None:
    """Leave nobody waiting, and nothing on any desk."""
    _run("DELETE FROM conversations_outboxentry")
    _run(
        "UPDATE conversations_contact SET ended_at = greatest(now(), started_at),"
        " end_reason = 'closed' WHERE ended_at IS NULL"
    )
    _run(
        "UPDATE conversations_conversation SET status = 'closed', closed_at = now(),"
        " closed_by = 'agent', close_reason = 'resolved', deadline_at = NULL, deadline_kind = ''"
        " WHERE status <> 'closed'"
    )


def go_home() -> None:
    """Make all agents unavailable."""
    AgentChannel.objects.update(is_available=False)


def settle() -> None:
    """Analyze the tables for the planner. There are no sockets to send heartbeats, so desks are
    marked as heard in advance: a run takes longer than the grace period."""
    DeskConnection.objects.update(heard_at=timezone.now() + timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def above_slots() -> int:
    """Count the agents who hold more than their slots. It must be 0, or the figures mean
    nothing."""
    query = """
        SELECT count(*) FROM (
            SELECT 1 FROM conversations_contact c
            JOIN accounts_agentchannel a ON a.agent_id = c.agent_id AND a.channel = c.channel
            WHERE c.ended_at IS NULL GROUP BY c.agent_id, a.slots HAVING count(*) > a.slots
        ) held
    """
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def _conversations(number: int, status: str, parts: dict[str, str]) -> int:
    """Create conversations and return the number of the last one before them."""
    website = Website.objects.get(key="bench").pk
    last = _last("conversations_visitor")
    before = _last("conversations_conversation")
    _run(VISITORS, website=website, number=number)
    query = CONVERSATIONS.format(**parts)
    _run(query, website=website, status=status, after=last)
    return before


def _last(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        return int(cursor.fetchone()[0])


def _run(query: str, **values: int | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
