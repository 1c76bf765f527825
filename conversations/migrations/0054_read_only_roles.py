"""Two roles that only read; a conversation may be credited to an agent who has one now."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0053_articles")]

    operations = [
        migrations.AlterField(
            model_name="conversation",
            name="payee_role",
            field=models.CharField(
                blank=True,
                choices=[
                    ("admin", "Administrator"),
                    ("manager", "Manager"),
                    ("agent", "Agent"),
                    ("expert", "Expert"),
                    ("auditor", "Auditor"),
                    ("reviewer", "Quality reviewer"),
                ],
                db_default="",
                default="",
                help_text="The role that the credited agent had at the closure (C57).",
                max_length=10,
            ),
        ),
    ]
