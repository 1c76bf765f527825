"""Add what inboxes of e-mail need."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0063_writing_aids"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailboxPosition",
            fields=[
                (
                    "inbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="position",
                        serialize=False,
                        to="conversations.inbox",
                    ),
                ),
                (
                    "validity",
                    models.CharField(
                        help_text="UIDVALIDITY: which numbers these are.", max_length=40
                    ),
                ),
                ("uid", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="file",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The stored e-mail, until a conversation has it.",
                max_length=200,
            ),
        ),
    ]
