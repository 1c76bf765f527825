"""Add tags, and the record of why customers wrote."""

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

from accounts import audit


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0032_wording"),
        ("conversations", "0065_inbox_templates"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        help_text="Tags of the same category are listed together, such as “Delivery”.",
                        max_length=60,
                        verbose_name="category",
                    ),
                ),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("grey", "Grey"),
                            ("blue", "Blue"),
                            ("green", "Green"),
                            ("orange", "Orange"),
                            ("red", "Red"),
                        ],
                        default="grey",
                        max_length=10,
                        verbose_name="colour",
                    ),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        help_text="When to use it. Agents read it where they choose a tag.",
                        max_length=200,
                        verbose_name="description",
                    ),
                ),
                (
                    "archived_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="archived at"),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        editable=False,
                        help_text="Its conversations have that tag since.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merged",
                        to="conversations.tag",
                        verbose_name="merged into",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="accounts.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag",
                "verbose_name_plural": "tags",
                "ordering": ("category", "name"),
            },
        ),
        migrations.CreateModel(
            name="ReasonEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("tagged", "Tagged"),
                            ("untagged", "Tag removed"),
                            ("merged", "Tag merged"),
                        ],
                        max_length=10,
                        verbose_name="event",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="moment")),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("visitor", "Visitor"),
                            ("agent", "Agent"),
                            ("manager", "Manager"),
                            ("bot", "Bot"),
                            ("system", "System"),
                        ],
                        max_length=8,
                        verbose_name="by",
                    ),
                ),
                ("actor_user_id", models.BigIntegerField(null=True)),
                ("before", models.TextField(blank=True, verbose_name="before")),
                ("after", models.TextField(blank=True, verbose_name="after")),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reason_events",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "into",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.tag",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.tag",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of reasons",
                "verbose_name_plural": "changes of reasons",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="ConversationTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tagged_at", models.DateTimeField()),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tag_marks",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="marks",
                        to="conversations.tag",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag of a conversation",
                "verbose_name_plural": "tags of conversations",
            },
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"),
                models.F("website"),
                condition=models.Q(("merged_into", None)),
                name="tag_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None), ("archived_at__isnull", False), _connector="OR"
                ),
                name="merged_tag_is_archived",
            ),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None),
                    models.Q(("merged_into", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="tag_is_not_merged_into_itself",
            ),
        ),
        migrations.AddIndex(
            model_name="reasonevent",
            index=models.Index(fields=["conversation", "id"], name="reasons_in_order"),
        ),
        migrations.AddIndex(
            model_name="conversationtag",
            index=models.Index(fields=["tag", "-conversation"], name="tagged_newest"),
        ),
        migrations.AddConstraint(
            model_name="conversationtag",
            constraint=models.UniqueConstraint(fields=("conversation", "tag"), name="tag_once"),
        ),
        audit.recorded("conversations.tag"),
    ]
