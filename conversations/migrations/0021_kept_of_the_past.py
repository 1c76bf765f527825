"""Fill the denormalized columns of existing rows from the ledger (ADR 0027)."""

from django.db import migrations

CONVERSATIONS = """
    UPDATE conversations_conversation c SET
        began_to_wait_at = told.began, last_holder_id = told.holder,
        contact_count = told.contacts, changed_hands = told.hands,
        is_begun_by_bot = told.by_bot,
        payee_id = CASE WHEN c.closed_by = 'agent' THEN (
                SELECT a.id FROM conversations_event e
                JOIN accounts_agent a ON a.user_id = e.actor_user_id
                WHERE e.conversation_id = c.id AND e.verb = 'close' ORDER BY e.id DESC LIMIT 1)
            WHEN c.closed_by IN ('system', 'visitor', 'bot') THEN (
                SELECT m.agent_id FROM conversations_message m
                WHERE m.conversation_id = c.id AND m.author = 'agent'
                ORDER BY m.seq DESC LIMIT 1) END
    FROM (
        SELECT conversation_id,
            max(at) FILTER (
                WHERE to_status IN ('queued', 'assigned') AND verb NOT IN ('expire', 'relax')
            ) AS began,
            (array_agg(agent_id ORDER BY id DESC) FILTER (WHERE to_status = 'active'))[1] AS holder,
            count(*) FILTER (WHERE to_status = 'active') AS contacts,
            count(DISTINCT agent_id) FILTER (WHERE to_status = 'active') > 1 AS hands,
            bool_or(to_status = 'bot') AS by_bot
        FROM conversations_event GROUP BY conversation_id
    ) told
    WHERE told.conversation_id = c.id
"""
CONTACTS = """
    UPDATE conversations_contact k
    SET website_id = c.website_id, began_to_wait_at = coalesce(told.began, k.queued_at)
    FROM (
        SELECT id, conversation_id,
            row_number() OVER (PARTITION BY conversation_id ORDER BY started_at, id) AS n
        FROM conversations_contact
    ) mine
    JOIN conversations_conversation c ON c.id = mine.conversation_id
    LEFT JOIN (
        SELECT conversation_id, began,
            row_number() OVER (PARTITION BY conversation_id ORDER BY id) AS n
        FROM (
            SELECT conversation_id, id, to_status,
                max(at) FILTER (WHERE verb NOT IN ('expire', 'relax')) OVER (
                    PARTITION BY conversation_id ORDER BY id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS began
            FROM conversations_event
        ) e WHERE to_status = 'active'
    ) told ON told.conversation_id = mine.conversation_id AND told.n = mine.n
    WHERE k.id = mine.id
"""
SURVEYS = """
    UPDATE conversations_survey s SET website_id = c.website_id
    FROM conversations_conversation c WHERE c.id = s.conversation_id
"""
# The ledger is append-only except here: the new column holds the website a line always had.
EVENTS = """
    ALTER TABLE conversations_event DISABLE TRIGGER conversations_event_stands;
    UPDATE conversations_event e SET website_id = c.website_id
    FROM conversations_conversation c WHERE c.id = e.conversation_id;
    ALTER TABLE conversations_event ENABLE TRIGGER conversations_event_stands;
"""
PATIENTLY = "SET LOCAL statement_timeout = 0"
# Otherwise the next migration could not alter the tables in the same transaction (in tests).
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0020_kept")]

    operations = [
        migrations.RunSQL(
            [PATIENTLY, CONVERSATIONS, CONTACTS, SURVEYS, AT_ONCE, EVENTS], migrations.RunSQL.noop
        )
    ]
