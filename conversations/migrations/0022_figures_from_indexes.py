"""Add covering indexes for figures over years."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0021_kept_of_the_past")]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="website",
            field=models.ForeignKey(
                db_index=False,
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.website",
            ),
        ),
        migrations.AlterField(
            model_name="contact",
            name="began_to_wait_at",
            field=models.DateTimeField(
                help_text="When it began to wait for this desk; an expiry does not begin anew."
            ),
        ),
        migrations.AlterField(
            model_name="survey",
            name="website",
            field=models.ForeignKey(
                db_index=False,
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.website",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="website",
            field=models.ForeignKey(
                db_index=False,
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.website",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["website", "ended_at"],
                include=("id", "conversation", "started_at", "agent", "group", "end_reason"),
                name="contacts_ended",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["website", "started_at"],
                include=("id", "conversation", "began_to_wait_at", "agent", "group"),
                name="contacts_begun",
            ),
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
                include=("id", "group", "queue", "style", "language", "last_holder"),
                name="opened_by_website",
            ),
        ),
        migrations.AddIndex(
            model_name="survey",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", False)),
                fields=["website", "answered_at"],
                include=("id", "conversation", "csat", "nps", "agent", "group"),
                name="surveys_answered",
            ),
        ),
        migrations.AddIndex(
            model_name="survey",
            index=models.Index(
                fields=["website", "offered_at"],
                include=("id", "conversation", "answered_at", "agent", "group"),
                name="surveys_offered",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(
                    (
                        "verb__in",
                        [
                            "transfer_to_group",
                            "transfer_to_agent",
                            "snooze",
                            "reopen",
                            "expire",
                            "release",
                            "recall",
                        ],
                    )
                ),
                fields=["website", "verb", "at"],
                include=("id", "conversation", "group", "actor_user_id"),
                name="events_counted",
            ),
        ),
    ]
