"""Let notes mention agents: the notice refers to the note."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0010_finding"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="note",
            field=models.ForeignKey(
                help_text="That calls.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="conversations.note",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("unanswered", "Pushed and not answered in time"),
                    ("mentioned", "Mentioned in a note"),
                ],
                max_length=12,
            ),
        ),
    ]
