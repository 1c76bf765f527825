"""Rename ``StatusSpan`` to ``StatusInterval``. The table keeps its name, so nothing is locked."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0039_span_text")]

    operations = [
        migrations.AlterModelTable("StatusSpan", "conversations_statusspan"),
        migrations.RenameModel("StatusSpan", "StatusInterval"),
        migrations.AlterField(
            model_name="message",
            name="offer",
            field=models.JSONField(
                help_text="Choices and cards; the body repeats them in words.", null=True
            ),
        ),
    ]
