"""Add translations of messages, and the switch of a website."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0068_imported_in_the_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="languagemodelsettings",
            name="translates",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Where the visitor and the agent have no language in common, both read translations that are marked as made by a machine, with the original one click away. Each agent's languages are in their settings.",
                verbose_name="translate messages",
            ),
        ),
        migrations.AlterField(
            model_name="languagemodelcall",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("pending", "Under way, or lost"),
                    ("done", "Answered"),
                    ("refused", "Not used: it failed the checks"),
                    ("slow", "Too slow"),
                    ("failed", "Failed"),
                ],
                default="pending",
                max_length=8,
                verbose_name="outcome",
            ),
        ),
        migrations.AlterField(
            model_name="languagemodelcall",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("answer", "Answer of a bot"),
                    ("draft", "Draft of a reply"),
                    ("rewrite", "Rewriting"),
                    ("translate", "Translation for an agent"),
                    ("summary", "Summary"),
                    ("message", "Translation of a message"),
                ],
                max_length=10,
                verbose_name="purpose",
            ),
        ),
        migrations.CreateModel(
            name="MessageTranslation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seq", models.PositiveIntegerField()),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("is_for_visitor", models.BooleanField()),
                ("text", models.TextField(blank=True, verbose_name="text")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("done", "Translated"),
                            ("same", "Already in this language"),
                            ("failed", "Not translated"),
                        ],
                        max_length=6,
                        verbose_name="outcome",
                    ),
                ),
                ("made_at", models.DateTimeField(verbose_name="moment")),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="translations",
                        to="conversations.conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "translation of a message",
                "verbose_name_plural": "translations of messages",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversation", "seq", "language"),
                        name="one_translation_to_a_language",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), models.Q(("text", ""), _negated=True)),
                            models.Q(models.Q(("state", "done"), _negated=True), ("text", "")),
                            _connector="OR",
                        ),
                        name="done_translation_has_text",
                    ),
                ],
            },
        ),
    ]
