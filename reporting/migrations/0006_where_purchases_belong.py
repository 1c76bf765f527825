"""Store with a purchase the group for which the message was written and how its customer was
engaged; store what a page claimed beside an authenticated report (C58, C59)."""

import django.db.models.deletion
from django.db import migrations, models

# Contacts record the group for which every message was written, so old rows can be corrected.
PAST = """
    UPDATE reporting_transaction t SET
        rule_id = c.rule_id, style = c.style, language = c.language,
        group_id = CASE WHEN t.agent_id IS NOT NULL THEN coalesce((
            SELECT k.group_id FROM conversations_contact k
            JOIN conversations_message m ON m.conversation_id = t.conversation_id
                AND m.seq = t.message_seq
            WHERE k.conversation_id = t.conversation_id AND k.agent_id = t.agent_id
                AND k.started_at <= m.created_at
            ORDER BY k.started_at DESC, k.id DESC LIMIT 1
        ), t.group_id) END
    FROM conversations_conversation c WHERE c.id = t.conversation_id
"""
PATIENTLY = "SET LOCAL statement_timeout = 0"
# Otherwise the next operation could not alter the table in the same transaction.
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"
ORIGINS = [("script", "Script on the page"), ("api", "API"), ("import", "Import")]
STYLES = [
    ("live", "Live"),
    ("live_with_return", "Live, with return"),
    ("social", "Social messaging"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_mirroring"),
        ("conversations", "0031_closures_of_the_past"),
        ("reporting", "0005_exports_of_groups"),
        ("routing", "0010_shows_when_closed"),
    ]

    operations = [
        migrations.AddField(
            model_name="transaction",
            name="rule",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="routing.distributionrule",
            ),
        ),
        migrations.AddField(
            model_name="transaction",
            name="style",
            field=models.CharField(choices=STYLES, max_length=20, null=True),
        ),
        migrations.AddField(
            model_name="transaction",
            name="language",
            field=models.CharField(max_length=10, null=True),
        ),
        migrations.RunSQL([PATIENTLY, PAST, AT_ONCE], migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="transaction",
            name="group",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transactions",
                to="accounts.group",
            ),
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "origin",
                    models.CharField(choices=ORIGINS, max_length=6, verbose_name="reported by"),
                ),
                (
                    "amount",
                    models.DecimalField(decimal_places=2, max_digits=12, verbose_name="amount"),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("made_at", models.DateTimeField(verbose_name="created at")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="claims",
                        to="reporting.transaction",
                    ),
                ),
                (
                    "visitor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="conversations.visitor",
                    ),
                ),
            ],
            options={
                "verbose_name": "page report",
                "verbose_name_plural": "page reports",
                "constraints": [
                    models.UniqueConstraint(fields=("transaction", "origin"), name="claimed_once")
                ],
            },
        ),
    ]
