"""Add the templates of inboxes, which are copies and no settings: no change of them is recorded."""

from django.db import migrations, models

from accounts import audit


def recorded(*unseen: str) -> migrations.RunSQL:
    return audit.recorded(
        "conversations.inbox",
        owner=("accounts.website", "website_id"),
        unseen=unseen,
        secret=["token", "secret", "key"],
    )


BEFORE = recorded("created_at", "trouble")


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0064_mailboxes"),
    ]

    operations = [
        migrations.AddField(
            model_name="inbox",
            name="templates",
            field=models.JSONField(
                db_default=[],
                default=list,
                editable=False,
                help_text="Texts that the provider has approved (conversations.inboxes.templates).",
            ),
        ),
        migrations.RunSQL(BEFORE.reverse_sql, BEFORE.sql),
        recorded("created_at", "trouble", "templates"),
    ]
