"""A recount of the denormalized columns from the ledger and the messages.

Plain SQL: millions of rows are compared inside the database.

``conversations.lifecycle.denormalized`` updates them verb by verb. Here they are recomputed for
many conversations at once and compared (ADR 0027). The two share no code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max, Min

from conversations.models import Conversation

WINDOW = 20_000
"""Conversations per statement, which takes one or two seconds and some megabytes."""

# Ledger lines from before C57 lack the role. It is then read from the record of changes, or is the
# current one if it never changed.
ROLE_THEN = """coalesce((
                    SELECT h.before ->> 'role' FROM accounts_change h
                    WHERE h.model = 'accounts.user' AND h.object_id = u.id
                        AND h.before ? 'role' AND h.at > c.closed_at
                    ORDER BY h.id LIMIT 1
                ), u.role)"""
CONVERSATIONS_FROM_LEDGER = """
    WITH replayed AS (
        SELECT conversation_id,
            max(at) FILTER (
                WHERE to_status IN ('queued', 'assigned') AND verb NOT IN ('expire', 'drop_skills')
            ) AS began_to_wait_at,
            (array_agg(agent_id ORDER BY id DESC)
                FILTER (WHERE to_status = 'active'))[1] AS last_holder_id,
            count(*) FILTER (WHERE to_status = 'active') AS contact_count,
            count(DISTINCT agent_id) FILTER (WHERE to_status = 'active') > 1 AS changed_hands,
            bool_or(to_status = 'bot') AS is_begun_by_bot,
            (array_agg(actor_user_id ORDER BY id DESC) FILTER (WHERE verb = 'close'))[1] AS closer,
            (array_agg(data ORDER BY id DESC) FILTER (WHERE verb = 'close'))[1] AS said
        FROM conversations_event
        WHERE conversation_id >= %(low)s AND conversation_id < %(high)s
        GROUP BY conversation_id
    ), credited AS (
        SELECT c.id, replayed.*,
            CASE WHEN c.closed_by = 'agent'
                THEN (SELECT a.id FROM accounts_agent a WHERE a.user_id = replayed.closer)
            WHEN c.closed_by IN ('system', 'visitor', 'bot') AND c.imported_from = ''
                THEN (SELECT m.agent_id FROM conversations_message m
                      WHERE m.conversation_id = c.id AND m.author = 'agent'
                      ORDER BY m.seq DESC LIMIT 1)
            END AS payee_id
        FROM conversations_conversation c JOIN replayed ON replayed.conversation_id = c.id
    ), anew AS (
        SELECT credited.*, coalesce(said ->> 'payee_role',
                CASE WHEN credited.payee_id IS NOT NULL THEN {role} END, '') AS payee_role,
            CASE WHEN said ? 'open_response_seconds'
                THEN (said ->> 'open_response_seconds')::float
                ELSE c.open_response_seconds END AS open_response_seconds,
            CASE WHEN said ? 'open_resolution_seconds'
                THEN (said ->> 'open_resolution_seconds')::float
                ELSE c.open_resolution_seconds END AS open_resolution_seconds
        FROM credited JOIN conversations_conversation c USING (id)
        LEFT JOIN accounts_agent a ON a.id = credited.payee_id
        LEFT JOIN accounts_user u ON u.id = a.user_id
    )
""".replace("{role}", ROLE_THEN)
CONTACTS_FROM_LEDGER = """
    WITH reached AS (
        SELECT conversation_id, began_to_wait_at,
            row_number() OVER (PARTITION BY conversation_id ORDER BY id) AS n
        FROM (
            SELECT conversation_id, id, to_status,
                max(at) FILTER (WHERE verb NOT IN ('expire', 'drop_skills')) OVER (
                    PARTITION BY conversation_id ORDER BY id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS began_to_wait_at
            FROM conversations_event
            WHERE conversation_id >= %(low)s AND conversation_id < %(high)s
        ) line WHERE to_status = 'active'
    ), held AS (
        SELECT id, conversation_id,
            row_number() OVER (PARTITION BY conversation_id ORDER BY started_at, id) AS n
        FROM conversations_contact
        WHERE conversation_id >= %(low)s AND conversation_id < %(high)s
    ), anew AS (
        SELECT held.id, held.conversation_id, c.website_id, c.rule_id, c.style, c.language,
            reached.began_to_wait_at
        FROM held JOIN reached USING (conversation_id, n)
        JOIN conversations_conversation c ON c.id = held.conversation_id
    )
"""
SURVEYS_FROM_LEDGER = """
    WITH anew AS (
        SELECT s.id, s.conversation_id, c.website_id, c.rule_id, c.style, c.language
        FROM conversations_survey s JOIN conversations_conversation c ON c.id = s.conversation_id
        WHERE s.conversation_id >= %(low)s AND s.conversation_id < %(high)s
    )
"""
EVENTS_FROM_LEDGER = """
    WITH anew AS (
        SELECT e.id, e.conversation_id, c.website_id
        FROM conversations_event e JOIN conversations_conversation c ON c.id = e.conversation_id
        WHERE e.conversation_id >= %(low)s AND e.conversation_id < %(high)s
    )
"""


@dataclass(frozen=True, slots=True)
class Denormalized:
    """The denormalized columns of a table, and the query ``replayed`` that recomputes them. Ledger
    lines are never changed: they are only compared."""

    table: str
    columns: tuple[str, ...]
    replayed: str
    is_mended: bool = True

    @property
    def comparison(self) -> str:
        pairs = ", ".join(f"('{name}', t.{name}::text, anew.{name}::text)" for name in self.columns)
        return f"""{self.replayed}
            SELECT anew.conversation_id, '{self.table} ' || anew.id || ': ' || v.name || ' is '
                || coalesce(v.stored, 'empty')
                || ', the ledger says ' || coalesce(v.replayed, 'empty')
            FROM anew JOIN conversations_{self.table} t ON t.id = anew.id
            CROSS JOIN LATERAL (VALUES {pairs}) v (name, stored, replayed)
            WHERE v.stored IS DISTINCT FROM v.replayed ORDER BY 1, 2"""

    @property
    def mending(self) -> str:
        sets = ", ".join(f"{name} = anew.{name}" for name in self.columns)
        stored = ", ".join(f"t.{name}" for name in self.columns)
        replayed = ", ".join(f"anew.{name}" for name in self.columns)
        return f"""{self.replayed}
            UPDATE conversations_{self.table} t SET {sets} FROM anew
            WHERE t.id = anew.id AND ({stored}) IS DISTINCT FROM ({replayed})"""


OF_THE_CONVERSATION = ("website_id", "rule_id", "style", "language")
DENORMALIZED = (
    Denormalized(
        "conversation",
        (
            *("began_to_wait_at", "last_holder_id", "contact_count", "changed_hands"),
            *("is_begun_by_bot", "payee_id", "payee_role"),
            *("open_response_seconds", "open_resolution_seconds"),
        ),
        CONVERSATIONS_FROM_LEDGER,
    ),
    Denormalized("contact", (*OF_THE_CONVERSATION, "began_to_wait_at"), CONTACTS_FROM_LEDGER),
    Denormalized("survey", OF_THE_CONVERSATION, SURVEYS_FROM_LEDGER),
    Denormalized("event", ("website_id",), EVENTS_FROM_LEDGER, is_mended=False),
)


def windows() -> Iterator[tuple[int, int]]:
    """Yield half-open ranges of numbers that cover all conversations."""
    ends = Conversation.objects.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = ends["first"], ends["last"]
    if first is not None:
        for low in range(first, last + 1, WINDOW):
            yield low, min(low + WINDOW, last + 1)


def differences(low: int, high: int) -> Iterator[tuple[int, str]]:
    """Yield columns that differ from the ledger, as (conversation number, what differs)."""
    for table in DENORMALIZED:
        with connection.cursor() as cursor:
            cursor.execute(table.comparison, {"low": low, "high": high})
            yield from cursor.fetchall()


@transaction.atomic
def mend(low: int, high: int) -> int:
    """Correct the columns from the ledger; return how many rows changed. The conversations stay
    locked meanwhile."""
    written = 0
    window = {"low": low, "high": high}
    with connection.cursor() as cursor:
        # A window takes longer than a statement of a request may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        locked = Conversation.objects.select_for_update(no_key=True).filter(
            pk__range=(low, high - 1)
        )
        # Evaluated for its locks, taken in one order, so that two runs that overlap cannot
        # deadlock.
        list(locked.order_by("pk").values_list("pk"))
        for table in DENORMALIZED:
            if table.is_mended:
                cursor.execute(table.mending, window)
                written += cursor.rowcount
    return written
