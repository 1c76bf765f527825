"""Add the rule of a conversation to the indexes for figures, and fill it for older conversations
that have been in a queue."""

from django.db import migrations, models

# The first queue in the ledger is the one that engaged the visitor.
RULES = """
    UPDATE conversations_conversation c SET rule_id = told.rule_id
    FROM (
        SELECT DISTINCT ON (e.conversation_id) e.conversation_id, q.rule_id
        FROM conversations_conversation o
        JOIN conversations_event e ON e.conversation_id = o.id
        JOIN routing_rulestep q ON q.id = e.queue_id
        WHERE o.rule_id IS NULL ORDER BY e.conversation_id, e.id
    ) told WHERE told.conversation_id = c.id
"""
PATIENTLY = "SET LOCAL statement_timeout = 0"
# Otherwise the indexes could not be created in the same transaction.
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0023_canned_names"),
        ("routing", "0008_choices"),
    ]

    operations = [
        migrations.RunSQL([PATIENTLY, RULES, AT_ONCE], migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name="conversation",
            name="closed_by_website",
        ),
        migrations.RemoveIndex(
            model_name="conversation",
            name="opened_by_website",
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["website", "closed_at"],
                include=(
                    "id",
                    "opened_at",
                    "first_human_reply_at",
                    "group",
                    "queue",
                    "rule",
                    "style",
                    "language",
                    "last_holder",
                    "contact_count",
                    "changed_hands",
                    "is_begun_by_bot",
                    "payee",
                ),
                name="closed_by_website",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                fields=["website", "opened_at"],
                include=("id", "group", "queue", "rule", "style", "language", "last_holder"),
                name="opened_by_website",
            ),
        ),
    ]
