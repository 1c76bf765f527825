"""The outbox is the core's now; its table stays where it is, and keeps its name."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("conversations", "0037_field_names")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name="OutboxEntry")]
        )
    ]
