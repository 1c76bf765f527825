"""The eight invariants of docs/lifecycle.md, as queries on the database.

The unit tests, the Hypothesis state machine, the race tests and ``manage.py check_invariants`` all
use them. Each is one statement that returns violations. It reads only stored rows and the ledger
and shares no code with what it checks; hence plain SQL. On a live system run them in one
snapshot (``frozen``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from conversations.lifecycle import ledger
from conversations.models import Conversation

PATIENCE = timedelta(minutes=1)
"""How late owed work may be before it is a finding; beat and the sweeps take seconds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation: the check, the conversation and a description."""

    check: str
    conversation_id: int | None
    what: str

    def __str__(self) -> str:
        where = f"#{self.conversation_id}" if self.conversation_id else "-"
        return f"{self.check} {where}: {self.what}"


# 1: at most one agent holds a conversation; active <=> exactly one open contact, the holder's.
ONE_HOLDER = """
    SELECT c.id, format('is %%s with %%s open contacts', c.status, count(k.id))
    FROM conversations_conversation c
    LEFT JOIN conversations_contact k ON k.conversation_id = c.id AND k.ended_at IS NULL
    GROUP BY c.id
    HAVING (c.status = 'active') <> (count(k.id) = 1) OR count(k.id) > 1
    OR coalesce(bool_or(k.agent_id IS DISTINCT FROM c.agent_id AND k.id IS NOT NULL), false)
"""

# 1: the contacts of a conversation do not overlap; each ended before the next began.
CONTACTS_IN_TURN = """
    SELECT k.conversation_id, format('contacts %%s and %%s overlap', k.id, l.id)
    FROM conversations_contact k
    JOIN conversations_contact l ON l.conversation_id = k.conversation_id AND l.id > k.id
    WHERE k.ended_at IS NULL OR l.started_at < k.ended_at
"""

# 2: no push exceeded the slots that the agent had at that moment. The ledger is replayed in the
# order of its ids: a push is written under the agent's lock, so everything it counted precedes it.
SLOTS = """
    WITH steps AS (
        SELECT e.id, e.conversation_id, c.channel, e.verb, (e.data ->> 'slots')::int AS slots,
               CASE WHEN e.to_status = 'active' THEN e.agent_id END AS onto,
               lag(CASE WHEN e.to_status = 'active' THEN e.agent_id END)
                   OVER (PARTITION BY e.conversation_id ORDER BY e.id) AS off
        FROM conversations_event e JOIN conversations_conversation c ON c.id = e.conversation_id
    ), loads AS (
        SELECT id, conversation_id, channel, onto AS agent_id, 1 AS change, slots FROM steps
        WHERE onto IS NOT NULL
        UNION ALL
        SELECT id, conversation_id, channel, off, -1, NULL FROM steps WHERE off IS NOT NULL
    ), held AS (
        SELECT *, sum(change) OVER (PARTITION BY agent_id, channel ORDER BY id, change) AS n
        FROM loads
    )
    SELECT conversation_id, format('pushed to agent %%s as number %%s of %%s', agent_id, n, slots)
    FROM held WHERE n > slots
"""

# 3: no new entry exceeded the places of its queue. Entries are written under the queue's lock.
# Returns always enter and are not counted here.
PLACES = """
    WITH steps AS (
        SELECT id, conversation_id, (data ->> 'places')::int AS places,
               CASE WHEN data ? 'places' THEN queue_id END AS into_queue,
               lag(CASE WHEN data ? 'places' THEN queue_id END)
                   OVER (PARTITION BY conversation_id ORDER BY id) AS out_of
        FROM conversations_event
    ), fills AS (
        SELECT id, conversation_id, into_queue AS queue_id, 1 AS change, places FROM steps
        WHERE into_queue IS NOT NULL
        UNION ALL
        SELECT id, conversation_id, out_of, -1, NULL FROM steps WHERE out_of IS NOT NULL
    ), waiting AS (
        SELECT *, sum(change) OVER (PARTITION BY queue_id ORDER BY id, change) AS n FROM fills
    )
    SELECT conversation_id, format('entered queue %%s as number %%s of %%s', queue_id, n, places)
    FROM waiting WHERE n > places
"""

# 4: every waiting state has a way out. (Routing checks that no conversation waits while an agent
# could take it.) With a bot one of two timers always runs, the visitor's or its own.
WAY_OUT = """
    SELECT c.id, format('is %%s without a way out', c.status)
    FROM conversations_conversation c
    WHERE (c.status IN ('assigned', 'snoozed', 'solved') AND c.deadline_at IS NULL)
    OR (c.status IN ('assigned', 'active') AND c.agent_id IS NULL)
    OR (c.status IN ('snoozed', 'pending', 'on_hold', 'solved')
        AND c.agent_id IS NULL AND c.group_id IS NULL)
    OR (c.status = 'queued' AND c.group_id IS NULL)
    OR (c.status = 'bot' AND c.deadline_at IS NULL)
"""

# 8: no agent holds, is assigned or keeps a conversation that they may not have: active account,
# role, website (C50). The rule is repeated here, so that a bug in ``accounts.entitlement`` cannot
# hide itself. It is no violation while the reaction that returns the conversation is owed.
ENTITLED = """
    SELECT c.id, format('is %%s with agent %%s, who may not have it', c.status, c.agent_id)
    FROM conversations_conversation c
    JOIN accounts_agent a ON a.id = c.agent_id
    JOIN accounts_user u ON u.id = a.user_id
    WHERE c.status <> 'closed' AND NOT (u.is_active AND (
        u.is_superuser OR u.role = 'admin'
        OR u.role NOT IN ('auditor', 'reviewer') AND c.website_id IN (
            SELECT g.website_id FROM accounts_group g
            JOIN accounts_group_members m ON m.group_id = g.id WHERE m.agent_id = a.id
        )
    )) AND NOT EXISTS (
        SELECT FROM conversations_outboxentry o
        WHERE o.reaction = 'routing.actions.reclaiming.reclaim' AND o.done_at IS NULL
        AND o.dead_at IS NULL AND o.created_at > %(late)s
    )
"""

# 5: messages are numbered 1, 2, 3 ... without gaps (a unique constraint prevents duplicates).
SEQ = """
    SELECT c.id, format('has %%s messages, numbered %%s to %%s, and counts %%s',
                        count(m.id), min(m.seq), max(m.seq), c.last_seq)
    FROM conversations_conversation c
    LEFT JOIN conversations_message m ON m.conversation_id = c.id
    GROUP BY c.id
    HAVING count(m.id) <> c.last_seq OR coalesce(max(m.seq), 0) <> c.last_seq
    OR coalesce(min(m.seq), 1) <> 1
"""

# 7: no deadline fires early. (None fires twice either: the event that enters a state sets the
# deadline, and the next event leaves the state.)
NOT_EARLY = """
    WITH steps AS (
        SELECT conversation_id, verb, at, actor_kind,
               lag(to_status) OVER w AS source, lag(deadline_at) OVER w AS due_at
        FROM conversations_event WINDOW w AS (PARTITION BY conversation_id ORDER BY id)
    )
    SELECT conversation_id, format('%%s at %%s, due at %%s', verb, at, due_at) FROM steps
    WHERE actor_kind = 'system' AND verb IN ('expire', 'close', 'wake_to_agent', 'wake_to_group')
    AND source IN ('assigned', 'snoozed', 'solved') AND (due_at IS NULL OR at < due_at)
"""

# 7: no deadline is missed.
NOT_LATE = """
    SELECT id, format('%%s was due at %%s', deadline_kind, deadline_at)
    FROM conversations_conversation WHERE deadline_at < %(late)s
"""

# No owed reaction is late or dead.
OUTBOX = """
    SELECT NULL::bigint, format('%%s %%s: %%s', reaction, id,
                                CASE WHEN dead_at IS NULL THEN 'not done' ELSE last_error END)
    FROM conversations_outboxentry
    WHERE done_at IS NULL AND (dead_at IS NOT NULL OR (
        due_at < %(late)s AND (leased_until IS NULL OR leased_until < %(late)s)
    ))
"""

CHECKS = {
    "one_holder": ONE_HOLDER,
    "contacts_in_turn": CONTACTS_IN_TURN,
    "slots": SLOTS,
    "places": PLACES,
    "way_out": WAY_OUT,
    "entitled": ENTITLED,
    "seq": SEQ,
    "not_early": NOT_EARLY,
    "not_late": NOT_LATE,
    "outbox": OUTBOX,
}


def find(check: str, query: str, **values: object) -> Iterator[Finding]:
    """Run one query and yield its rows, (conversation number, description), as findings."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)  # type: ignore[arg-type]
        for conversation_id, what in cursor.fetchall():
            yield Finding(check, conversation_id, what)


def entitlement(*, at: datetime) -> Iterator[Finding]:
    """Yield the conversations that agents have at ``at`` and may not have."""
    yield from find("entitled", ENTITLED, late=at)


def findings(*, at: datetime, patience: timedelta = PATIENCE) -> Iterator[Finding]:
    """Yield all violations at ``at``. Owed work may be ``patience`` late."""
    for name, query in CHECKS.items():
        yield from find(name, query, late=at - patience)
    # 6: replaying the ledger gives the row.
    for conversation_id, difference in ledger.verify(Conversation.objects.order_by("pk")):
        yield Finding("ledger", conversation_id, difference)


@contextmanager
def frozen() -> Iterator[None]:
    """Open one read-only snapshot of the database, without timeouts."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        # Between statements Python replays the ledger, and the connection is idle.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield
