"""Add rule, style and language to the indexes of contacts and surveys. This transaction follows the
one that filled them, since the indexes would otherwise contain each row twice."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0025_engaged_kept")]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="style",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("live_with_return", "Live, with return"),
                    ("social", "Social messaging"),
                ],
                max_length=20,
                verbose_name="style",
            ),
        ),
        migrations.AlterField(
            model_name="contact",
            name="language",
            field=models.CharField(max_length=10, verbose_name="language"),
        ),
        migrations.AlterField(
            model_name="survey",
            name="style",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("live_with_return", "Live, with return"),
                    ("social", "Social messaging"),
                ],
                max_length=20,
                verbose_name="style",
            ),
        ),
        migrations.AlterField(
            model_name="survey",
            name="language",
            field=models.CharField(max_length=10, verbose_name="language"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["website", "ended_at"],
                include=(
                    "id",
                    "started_at",
                    "agent",
                    "group",
                    "end_reason",
                    "rule",
                    "style",
                    "language",
                ),
                name="contacts_ended",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["website", "started_at"],
                include=("id", "began_to_wait_at", "agent", "group", "rule", "style", "language"),
                name="contacts_begun",
            ),
        ),
        migrations.AddIndex(
            model_name="survey",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", False)),
                fields=["website", "answered_at"],
                include=("id", "csat", "nps", "agent", "group", "rule", "style", "language"),
                name="surveys_answered",
            ),
        ),
        migrations.AddIndex(
            model_name="survey",
            index=models.Index(
                fields=["website", "offered_at"],
                include=("id", "answered_at", "agent", "group", "rule", "style", "language"),
                name="surveys_offered",
            ),
        ),
    ]
