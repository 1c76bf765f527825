"""Add stored looks: their parts, and who replayed them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.db.never_truncated import never_truncated

# As for looks (0042): an erasure deletes these lines, too.
REPLAYS_STAND = """
    CREATE FUNCTION conversations_replay_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('causerie.erasing', true) = 'on' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'replays are append-only: replay % stands', OLD.id
            USING ERRCODE = 'restrict_violation';
    END
    $$;
    CREATE TRIGGER conversations_replay_stands
        BEFORE UPDATE OR DELETE ON conversations_lookreplay
        FOR EACH ROW EXECUTE FUNCTION conversations_replay_stands();
"""
CHANGEABLE = """
    DROP TRIGGER conversations_replay_stands ON conversations_lookreplay;
    DROP FUNCTION conversations_replay_stands();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0049_more_never_truncated"),
        ("core", "0003_refuse_truncate"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="covers_stored_looks",
            field=models.BooleanField(
                default=False,
                help_text="The text said that what agents see is stored.",
                verbose_name="includes stored looks",
            ),
        ),
        migrations.CreateModel(
            name="LookReplay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "look",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replays",
                        to="conversations.mirrorlook",
                        verbose_name="look",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "replay of a look",
                "verbose_name_plural": "replays of looks",
            },
        ),
        migrations.CreateModel(
            name="LookPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="From 1 in each look.")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "size",
                    models.PositiveIntegerField(
                        help_text="Of the compressed frames, in bytes.", verbose_name="size"
                    ),
                ),
                ("frames", models.BinaryField()),
                (
                    "look",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="conversations.mirrorlook",
                        verbose_name="look",
                    ),
                ),
            ],
            options={
                "verbose_name": "stored part of a look",
                "verbose_name_plural": "stored parts of looks",
                "indexes": [models.Index(fields=["at"], name="look_parts_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("look", "number"), name="one_number_for_each_part"
                    )
                ],
            },
        ),
        migrations.RunSQL(REPLAYS_STAND, CHANGEABLE),
        never_truncated("conversations_lookreplay"),
    ]
