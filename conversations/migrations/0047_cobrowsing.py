"""Add co-browsing: sessions, and what agents did in them."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# As for looks (0042): an erasure deletes these lines, too.
ENDED_STAND = """
    CREATE FUNCTION conversations_cobrowsing_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('causerie.erasing', true) = 'on' THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL
            AND (NEW.conversation_id, NEW.agent_id, NEW.look_id, NEW.allowed, NEW.asked_at)
                = (OLD.conversation_id, OLD.agent_id, OLD.look_id, OLD.allowed, OLD.asked_at)
            AND (OLD.accepted_at IS NULL OR NEW.accepted_at = OLD.accepted_at) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'co-browsing is append-only: session % stands', OLD.id
            USING ERRCODE = 'restrict_violation';
    END
    $$;
    CREATE TRIGGER conversations_cobrowsing_stands
        BEFORE UPDATE OR DELETE ON conversations_cobrowsingsession
        FOR EACH ROW EXECUTE FUNCTION conversations_cobrowsing_stands();

    CREATE FUNCTION conversations_act_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('causerie.erasing', true) = 'on' THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.outcome = '' AND (NEW.session_id, NEW.number, NEW.at, NEW.kind)
                = (OLD.session_id, OLD.number, OLD.at, OLD.kind) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'co-browsing is append-only: action % stands', OLD.id
            USING ERRCODE = 'restrict_violation';
    END
    $$;
    CREATE TRIGGER conversations_act_stands
        BEFORE UPDATE OR DELETE ON conversations_cobrowsingact
        FOR EACH ROW EXECUTE FUNCTION conversations_act_stands();
"""
CHANGEABLE = """
    DROP TRIGGER conversations_act_stands ON conversations_cobrowsingact;
    DROP FUNCTION conversations_act_stands();
    DROP TRIGGER conversations_cobrowsing_stands ON conversations_cobrowsingsession;
    DROP FUNCTION conversations_cobrowsing_stands();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0026_cobrowsing"),
        ("conversations", "0046_never_truncated"),
    ]

    operations = [
        migrations.CreateModel(
            name="CobrowsingSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "allowed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("point", "show a pointer"),
                                ("highlight", "highlight parts of the page"),
                                ("draw", "draw on the page"),
                                ("scroll", "scroll"),
                                ("link", "open links of the site"),
                                ("click", "click"),
                                ("fill", "fill in fields"),
                                ("submit", "submit forms"),
                            ],
                            max_length=9,
                        ),
                        help_text="The permissions that the visitor was shown.",
                        size=None,
                        verbose_name="allowed",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
                ("accepted_at", models.DateTimeField(null=True, verbose_name="accepted at")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="until")),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("declined", "declined by the visitor"),
                            ("unanswered", "not answered"),
                            ("stopped", "stopped by the visitor"),
                            ("left", "ended by the agent"),
                            ("revoked", "no longer allowed"),
                        ],
                        max_length=10,
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
                        related_name="cobrowsing",
                        to="conversations.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "look",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="conversations.mirrorlook",
                        verbose_name="look",
                    ),
                ),
            ],
            options={
                "verbose_name": "co-browsing session",
                "verbose_name_plural": "co-browsing sessions",
            },
        ),
        migrations.CreateModel(
            name="CobrowsingAct",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="From 1 in each session.")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("point", "show a pointer"),
                            ("highlight", "highlight parts of the page"),
                            ("draw", "draw on the page"),
                            ("scroll", "scroll"),
                            ("link", "open links of the site"),
                            ("click", "click"),
                            ("fill", "fill in fields"),
                            ("submit", "submit forms"),
                        ],
                        max_length=9,
                        verbose_name="action",
                    ),
                ),
                ("target", models.CharField(blank=True, max_length=200, verbose_name="target")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("done", "done"),
                            ("not_allowed", "refused: not allowed"),
                            ("secret", "refused: password, payment field or file"),
                            ("private", "refused: private part of the page"),
                            ("elsewhere", "refused: leads to another site"),
                            ("changed", "refused: the page has changed"),
                            ("unfit", "refused: not possible on this element"),
                            ("stopped", "refused: stopped meanwhile"),
                        ],
                        max_length=11,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="acts",
                        to="conversations.cobrowsingsession",
                    ),
                ),
            ],
            options={
                "verbose_name": "co-browsing action",
                "verbose_name_plural": "co-browsing actions",
            },
        ),
        migrations.AddConstraint(
            model_name="cobrowsingsession",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("conversation",),
                name="one_open_cobrowsing_session",
            ),
        ),
        migrations.AddConstraint(
            model_name="cobrowsingsession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("end", ""), ("ended_at", None)),
                    models.Q(("ended_at__isnull", False), models.Q(("end", ""), _negated=True)),
                    _connector="OR",
                ),
                name="cobrowsing_ends_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="cobrowsingsession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("accepted_at", None),
                    ("accepted_at__gte", models.F("asked_at")),
                    _connector="OR",
                ),
                name="cobrowsing_is_accepted_after_it_is_asked",
            ),
        ),
        migrations.AddConstraint(
            model_name="cobrowsingact",
            constraint=models.UniqueConstraint(
                fields=("session", "number"), name="one_number_for_each_act"
            ),
        ),
        migrations.AddConstraint(
            model_name="cobrowsingact",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "point"), _negated=True), name="pointers_are_no_acts"
            ),
        ),
        migrations.RunSQL(ENDED_STAND, CHANGEABLE),
    ]
