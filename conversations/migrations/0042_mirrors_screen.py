"""Add looks at visitors' pages, the visitor's stop, and whether a consent includes mirroring."""

import django.db.models.deletion
from django.db import migrations, models

# As for the ledger (0002): an erasure deletes these lines, too.
ENDED_STAND = """
    CREATE FUNCTION conversations_look_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('causerie.erasing', true) = 'on' THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL
            AND (NEW.conversation_id, NEW.agent_id, NEW.began_at)
                = (OLD.conversation_id, OLD.agent_id, OLD.began_at) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'looks are append-only: look % stands', OLD.id
            USING ERRCODE = 'restrict_violation';
    END
    $$;
    CREATE TRIGGER conversations_look_stands
        BEFORE UPDATE OR DELETE ON conversations_mirrorlook
        FOR EACH ROW EXECUTE FUNCTION conversations_look_stands();
"""
CHANGEABLE = """
    DROP TRIGGER conversations_look_stands ON conversations_mirrorlook;
    DROP FUNCTION conversations_look_stands();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_mirrors_screen"),
        ("conversations", "0041_verb_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="covers_mirroring",
            field=models.BooleanField(
                default=False,
                help_text="The text said that agents can see the page.",
                verbose_name="includes mirroring",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mirroring_stopped_at",
            field=models.DateTimeField(
                help_text="When the visitor stopped mirroring. Nobody can look from then on.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="MirrorLook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.PositiveSmallIntegerField()),
                ("began_at", models.DateTimeField(verbose_name="from")),
                (
                    "heard_at",
                    models.DateTimeField(help_text="When the desk last reported that it looks."),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="until")),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("left", "the agent stopped looking"),
                            ("stopped", "stopped by the visitor"),
                            ("revoked", "the agent may no longer look"),
                            ("lost", "connection lost"),
                        ],
                        max_length=8,
                        verbose_name="end",
                    ),
                ),
                (
                    "agent",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.agent",
                        verbose_name="agent",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="looks",
                        to="conversations.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "look at a visitor's page",
                "verbose_name_plural": "looks at visitors' pages",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["heard_at"],
                        name="looks_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("conversation", "place"),
                        name="one_look_for_each_place",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("place__gte", 1), ("place__lte", 3)),
                        name="three_places_to_look",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end", ""), ("ended_at", None)),
                            models.Q(
                                ("ended_at__isnull", False), models.Q(("end", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="looks_end_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.RunSQL(ENDED_STAND, CHANGEABLE),
    ]
