"""Store with a closure the role of the credited agent and the opening hours (C57)."""

from django.db import migrations, models

ROLES = [
    ("admin", "Administrator"),
    ("manager", "Manager"),
    ("agent", "Agent"),
    ("expert", "Expert"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0029_paused_may_be_the_teams"),
        ("accounts", "0014_mirroring"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="payee_role",
            field=models.CharField(
                blank=True,
                choices=ROLES,
                db_default="",
                default="",
                help_text="The role that the credited agent had at the closure (C57).",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="open_response_seconds",
            field=models.FloatField(
                help_text=(
                    "The first response in the opening hours of the closure; empty: every hour "
                    "counts."
                ),
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="open_resolution_seconds",
            field=models.FloatField(
                help_text=(
                    "The resolution in the opening hours of the closure; empty: every hour counts."
                ),
                null=True,
            ),
        ),
    ]
