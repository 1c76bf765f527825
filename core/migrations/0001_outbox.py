"""Take over the outbox's table from the ``conversations`` app."""

from __future__ import annotations

from typing import Any

import django.db.models.functions.datetime
from django.db import migrations, models


def move_permissions(apps: Any, schema_editor: Any) -> None:
    """Move the outbox's content type, so that permissions granted on it stay valid."""
    content_types = apps.get_model("contenttypes", "ContentType").objects
    content_types.filter(app_label="conversations", model="outboxentry").update(app_label="core")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("conversations", "0038_outbox_to_core"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="OutboxEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("reaction", models.CharField(max_length=100)),
                        ("payload", models.JSONField()),
                        (
                            "created_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        (
                            "due_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        ("leased_until", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("done_at", models.DateTimeField(null=True)),
                        ("dead_at", models.DateTimeField(null=True)),
                        ("last_error", models.TextField(blank=True)),
                    ],
                    options={
                        "verbose_name": "outbox entry",
                        "verbose_name_plural": "outbox entries",
                        "db_table": "conversations_outboxentry",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("dead_at", None), ("done_at", None)),
                                fields=["due_at"],
                                name="outbox_owed",
                            )
                        ],
                    },
                )
            ]
        ),
        migrations.RunPython(move_permissions, migrations.RunPython.noop),
    ]
