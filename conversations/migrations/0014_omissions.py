"""Add why a closure offered no survey."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_functions"),
        ("conversations", "0013_suggestions"),
    ]

    operations = [
        migrations.CreateModel(
            name="SurveyOmission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("blocked", "The visitor was blocked"),
                            ("unanswered", "No one had answered the visitor"),
                            ("switched_off", "The website has no survey questions"),
                            ("withdrawn", "The visitor had withdrawn consent"),
                        ],
                        max_length=12,
                        verbose_name="reason",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="moment")),
                (
                    "agent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.agent",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="survey_omissions",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.group",
                    ),
                ),
            ],
            options={
                "verbose_name": "survey not offered",
                "verbose_name_plural": "surveys not offered",
                "indexes": [models.Index(fields=["at"], name="omissions_by_moment")],
            },
        ),
    ]
