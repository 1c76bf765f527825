"""Add calls between visitors and agents (R164)."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

# As for looks (0042): what is over stands, and an erasure deletes it.
ENDED_STAND = """
    CREATE FUNCTION conversations_call_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('causerie.erasing', true) = 'on' THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL
            AND (NEW.conversation_id, NEW.agent_id, NEW.begun_by, NEW.rang_at)
                = (OLD.conversation_id, OLD.agent_id, OLD.begun_by, OLD.rang_at) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'calls are append-only: call % stands', OLD.id
            USING ERRCODE = 'restrict_violation';
    END
    $$;
    CREATE TRIGGER conversations_call_stands
        BEFORE UPDATE OR DELETE ON conversations_call
        FOR EACH ROW EXECUTE FUNCTION conversations_call_stands();
"""
CHANGEABLE = """
    DROP TRIGGER conversations_call_stands ON conversations_call;
    DROP FUNCTION conversations_call_stands();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0022_calls"),
        ("conversations", "0044_encrypted_provider_secret"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "begun_by",
                    models.CharField(
                        choices=[("visitor", "Visitor"), ("agent", "Agent")],
                        max_length=7,
                        verbose_name="begun by",
                    ),
                ),
                ("has_video", models.BooleanField(verbose_name="with video")),
                (
                    "room",
                    models.URLField(
                        blank=True,
                        help_text="Where both meet, if the website uses Jitsi.",
                        verbose_name="room",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ringing", "Ringing"),
                            ("answered", "In progress"),
                            ("ended", "Ended"),
                            ("missed", "Missed"),
                            ("declined", "Declined"),
                            ("failed", "Failed"),
                        ],
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("rang_at", models.DateTimeField(verbose_name="rang at")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="answered at")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("hung_up", "hung up"),
                            ("declined", "declined"),
                            ("cancelled", "cancelled by the caller"),
                            ("no_answer", "not answered in time"),
                            ("lost", "connection lost"),
                            ("moved", "the conversation left the desk"),
                            ("failed", "could not be connected"),
                        ],
                        max_length=9,
                        verbose_name="end",
                    ),
                ),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        choices=[("visitor", "Visitor"), ("agent", "Agent")],
                        max_length=7,
                        verbose_name="ended by",
                    ),
                ),
                ("deadline_at", models.DateTimeField(null=True, verbose_name="deadline")),
                ("visitor_tab", models.UUIDField(null=True)),
                ("agent_tab", models.UUIDField(null=True)),
                ("visitor_heard_at", models.DateTimeField(null=True)),
                ("agent_heard_at", models.DateTimeField(null=True)),
                (
                    "visitor_loss",
                    models.FloatField(
                        help_text="Of the packets they should get.",
                        null=True,
                        verbose_name="loss at the visitor (%)",
                    ),
                ),
                (
                    "agent_loss",
                    models.FloatField(
                        help_text="Of the packets they should get.",
                        null=True,
                        verbose_name="loss at the agent (%)",
                    ),
                ),
                (
                    "visitor_round_trip",
                    models.PositiveIntegerField(
                        null=True, verbose_name="round trip at the visitor (ms)"
                    ),
                ),
                (
                    "agent_round_trip",
                    models.PositiveIntegerField(
                        null=True, verbose_name="round trip at the agent (ms)"
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
                        related_name="calls",
                        to="conversations.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "call",
                "verbose_name_plural": "calls",
                "indexes": [
                    models.Index(
                        condition=models.Q(("deadline_at__isnull", False)),
                        fields=["deadline_at"],
                        name="call_deadlines",
                    ),
                    models.Index(fields=["rang_at"], name="calls_by_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("conversation",),
                        name="one_open_call_for_each_conversation",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("agent",),
                        name="one_open_call_for_each_agent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("deadline_at__isnull", False),
                                ("end", ""),
                                ("ended_at", None),
                                ("status__in", ["ringing", "answered"]),
                            ),
                            models.Q(
                                models.Q(("status__in", ["ringing", "answered"]), _negated=True),
                                ("deadline_at", None),
                                ("ended_at__isnull", False),
                                models.Q(("end", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="calls_end_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["answered", "ended"]),
                                ("answered_at__isnull", False),
                            ),
                            models.Q(
                                ("answered_at", None),
                                ("status__in", ["ringing", "missed", "declined"]),
                            ),
                            ("status", "failed"),
                            _connector="OR",
                        ),
                        name="answered_calls_say_when",
                    ),
                ],
            },
        ),
        migrations.RunSQL(ENDED_STAND, CHANGEABLE),
    ]
