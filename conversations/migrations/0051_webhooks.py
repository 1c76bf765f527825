"""Add webhooks."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.encryption
from accounts import audit


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0026_cobrowsing"),
        ("conversations", "0050_stored_looks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "url",
                    models.CharField(
                        help_text="Receives a POST request for each event.",
                        max_length=500,
                        validators=[django.core.validators.URLValidator(schemes=["https", "http"])],
                        verbose_name="address",
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("standard", "Standard Webhooks (signed JSON)"),
                            ("slack", "Slack message"),
                            ("teams", "Microsoft Teams message"),
                        ],
                        default="standard",
                        help_text="Slack and Teams receive alerts only, as a sentence with a link.",
                        max_length=10,
                        verbose_name="format",
                    ),
                ),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None, verbose_name="events"
                    ),
                ),
                (
                    "is_enabled",
                    models.BooleanField(
                        default=True,
                        help_text="Deselect this to send nothing for now. What happens meanwhile is sent later.",
                        verbose_name="enabled",
                    ),
                ),
                ("secret", core.encryption.EncryptedTextField(editable=False, purpose="webhook")),
                (
                    "previous_secret",
                    core.encryption.EncryptedTextField(
                        blank=True, default="", editable=False, purpose="webhook"
                    ),
                ),
                ("previous_until", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(editable=False, verbose_name="created at")),
                (
                    "owner",
                    models.ForeignKey(
                        help_text="Gets an e-mail when deliveries fail.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="webhooks",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhooks",
                        to="accounts.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "ordering": ("website", "name", "pk"),
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("replay", models.PositiveIntegerField(default=0)),
                (
                    "is_repeat",
                    models.BooleanField(
                        default=False,
                        help_text="Somebody asked for it to be sent again.",
                        verbose_name="sent again",
                    ),
                ),
                ("entry_id", models.BigIntegerField(null=True)),
                ("event_id", models.BigIntegerField(null=True)),
                ("message_id", models.BigIntegerField(null=True)),
                ("alert", models.JSONField(null=True)),
                (
                    "alert_key",
                    models.CharField(blank=True, help_text="The same alert, once.", max_length=100),
                ),
                ("kind", models.CharField(max_length=40, verbose_name="event")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("due_at", models.DateTimeField(verbose_name="next attempt")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("first_tried_at", models.DateTimeField(null=True, verbose_name="first attempt")),
                ("tried_at", models.DateTimeField(null=True, verbose_name="last attempt")),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered at")),
                ("parked_at", models.DateTimeField(null=True, verbose_name="given up at")),
                (
                    "trouble",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("status", "The receiver refused it."),
                            ("timeout", "The receiver did not answer in time."),
                            ("connection", "The receiver could not be reached."),
                            ("forbidden", "This address may not be called."),
                            ("secret", "The signing secret can no longer be read."),
                            ("erased", "Its content was erased."),
                        ],
                        max_length=10,
                        verbose_name="problem",
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(null=True, verbose_name="HTTP status")),
                ("answer", models.TextField(blank=True, verbose_name="answer")),
                (
                    "duration_ms",
                    models.PositiveIntegerField(null=True, verbose_name="duration in ms"),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_deliveries",
                        to="conversations.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="conversations.webhook",
                        verbose_name="webhook",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
                "ordering": ("-pk",),
            },
        ),
        migrations.CreateModel(
            name="WebhookProgress",
            fields=[
                (
                    "webhook",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="progress",
                        serialize=False,
                        to="conversations.webhook",
                    ),
                ),
                (
                    "position",
                    models.BigIntegerField(help_text="With entry_id, a conversations.feed.Cursor."),
                ),
                ("entry_id", models.BigIntegerField()),
                (
                    "replay",
                    models.PositiveIntegerField(
                        default=0, help_text="How often it was started again."
                    ),
                ),
                ("due_at", models.DateTimeField(help_text="Nothing is sent before.")),
                ("leased_until", models.DateTimeField(null=True)),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="Rounds without any success."),
                ),
                ("failing_since", models.DateTimeField(null=True)),
                (
                    "told_at",
                    models.DateTimeField(
                        help_text="Its owner was told of this failure.", null=True
                    ),
                ),
                ("paused_at", models.DateTimeField(null=True)),
                (
                    "pause_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("failed", "No delivery succeeded for three days."),
                            ("gone", "The receiver answered 410 Gone."),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("pause_reason", ""), ("paused_at__isnull", True)),
                            models.Q(
                                ("paused_at__isnull", False),
                                models.Q(("pause_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="webhook_pause_has_its_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("failing_since__isnull", True), ("failures", 0)),
                            models.Q(("failing_since__isnull", False), ("failures__gt", 0)),
                            _connector="OR",
                        ),
                        name="webhook_failures_have_a_beginning",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.UniqueConstraint(
                fields=("website", "name"), name="webhook_name_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("events", []), _negated=True), ("events__isnull", False)
                ),
                name="webhook_has_events",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("delivered_at__isnull", True), ("parked_at__isnull", True)),
                fields=["webhook", "id"],
                name="webhook_owed",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("delivered_at__isnull", True), ("parked_at__isnull", True)),
                fields=["webhook", "conversation", "id"],
                name="webhook_owed_in_order",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                models.F("webhook"),
                models.OrderBy(models.F("id"), descending=True),
                name="webhook_log",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["created_at"], name="webhook_deliveries_by_age"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("entry_id__isnull", False), ("is_repeat", False)),
                fields=("webhook", "replay", "entry_id"),
                name="webhook_entry_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("is_repeat", False), models.Q(("alert_key", ""), _negated=True)
                ),
                fields=("webhook", "alert_key"),
                name="webhook_alert_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("delivered_at__isnull", True), ("parked_at__isnull", True), _connector="OR"
                ),
                name="webhook_delivery_ends_one_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("alert__isnull", True),
                        ("event_id__isnull", False),
                        ("message_id__isnull", True),
                    ),
                    models.Q(
                        ("alert__isnull", True),
                        ("event_id__isnull", True),
                        ("message_id__isnull", False),
                    ),
                    models.Q(
                        ("alert__isnull", False),
                        ("event_id__isnull", True),
                        ("message_id__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="webhook_delivery_has_one_content",
            ),
        ),
        audit.recorded(
            "conversations.webhook",
            owner=("accounts.website", "website_id"),
            unseen=["created_at"],
            secret=["secret", "previous_secret"],
        ),
    ]
