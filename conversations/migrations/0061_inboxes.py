"""Add inboxes, and what comes and leaves by them."""

import django.db.models.deletion
from django.db import migrations, models

import conversations.models.inboxes
import core.encryption
from accounts import audit


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0032_wording"),
        ("conversations", "0060_language_models"),
        ("routing", "0019_bot_identity"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboundMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seq", models.PositiveIntegerField(verbose_name="position")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("owed", "Sending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read by the visitor"),
                            ("failed", "Not delivered"),
                        ],
                        default="owed",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(blank=True, max_length=300, verbose_name="id at the provider"),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("due_at", models.DateTimeField(verbose_name="next attempt")),
                ("leased_until", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField(null=True, verbose_name="changed at")),
            ],
            options={
                "verbose_name": "outbound message",
                "verbose_name_plural": "outbound messages",
                "ordering": ("-pk",),
            },
        ),
        migrations.AlterField(
            model_name="surveyomission",
            name="reason",
            field=models.CharField(
                choices=[
                    ("blocked", "The visitor was blocked"),
                    ("unanswered", "No one had answered the visitor"),
                    ("switched_off", "The website has no survey questions"),
                    ("withdrawn", "The visitor had withdrawn consent"),
                    ("no_messenger", "The visitor writes outside the Messenger"),
                ],
                max_length=12,
                verbose_name="reason",
            ),
        ),
        migrations.CreateModel(
            name="Correspondent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address", models.CharField(max_length=320, verbose_name="address")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "told_at",
                    models.DateTimeField(
                        help_text="When they were last told that there is no room.", null=True
                    ),
                ),
                (
                    "visitor",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="correspondent",
                        to="conversations.visitor",
                    ),
                ),
            ],
            options={
                "verbose_name": "correspondent",
                "verbose_name_plural": "correspondents",
            },
        ),
        migrations.CreateModel(
            name="Inbox",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=20, verbose_name="channel")),
                (
                    "name",
                    models.CharField(
                        help_text="Shown to agents beside the conversation.",
                        max_length=60,
                        verbose_name="name",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Deselect this to accept and send nothing. Nothing that waits is lost.",
                        verbose_name="active",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        default=conversations.models.inboxes.new_key,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "token",
                    core.encryption.EncryptedTextField(
                        blank=True, purpose="inbox.token", verbose_name="access token"
                    ),
                ),
                (
                    "secret",
                    core.encryption.EncryptedTextField(
                        blank=True, purpose="inbox.secret", verbose_name="secret"
                    ),
                ),
                ("options", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "trouble",
                    models.CharField(
                        blank=True, editable=False, max_length=300, verbose_name="problem"
                    ),
                ),
                ("created_at", models.DateTimeField(editable=False, verbose_name="created at")),
                (
                    "rule",
                    models.ForeignKey(
                        help_text="Where its conversations go. Choose a rule whose queues have places.",
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="inboxes",
                        to="routing.distributionrule",
                        verbose_name="distribution rule",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inboxes",
                        to="accounts.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "inbox",
                "verbose_name_plural": "inboxes",
                "ordering": ("website", "name"),
            },
        ),
        migrations.CreateModel(
            name="InboundMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(max_length=300, verbose_name="id at the provider"),
                ),
                ("content", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("accepted", "Added to the conversation"),
                            ("refused", "Rejected"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                (
                    "sent_at",
                    models.DateTimeField(
                        help_text="By the provider's clock; the order of the messages."
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("due_at", models.DateTimeField(null=True, verbose_name="next attempt")),
                (
                    "conversation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbound_messages",
                        to="conversations.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "correspondent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbound",
                        to="conversations.correspondent",
                        verbose_name="sender",
                    ),
                ),
                (
                    "inbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbound",
                        to="conversations.inbox",
                        verbose_name="inbox",
                    ),
                ),
            ],
            options={
                "verbose_name": "inbound message",
                "verbose_name_plural": "inbound messages",
                "ordering": ("-pk",),
            },
        ),
        migrations.AddField(
            model_name="correspondent",
            name="inbox",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="correspondents",
                to="conversations.inbox",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="inbox",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="conversations.inbox",
                verbose_name="inbox",
            ),
        ),
        migrations.AddField(
            model_name="outboundmessage",
            name="conversation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outbound_messages",
                to="conversations.conversation",
                verbose_name="conversation",
            ),
        ),
        migrations.AddField(
            model_name="outboundmessage",
            name="inbox",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outbound",
                to="conversations.inbox",
                verbose_name="inbox",
            ),
        ),
        migrations.AddField(
            model_name="outboundmessage",
            name="message",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outbound",
                to="conversations.message",
            ),
        ),
        migrations.AddConstraint(
            model_name="inbox",
            constraint=models.UniqueConstraint(fields=("website", "name"), name="inbox_name_once"),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["due_at"],
                name="inbound_messages_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.UniqueConstraint(
                fields=("inbox", "provider_id"), name="inbound_message_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("status", "waiting")),
                    models.Q(
                        models.Q(("status", "waiting"), _negated=True), ("due_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="inbound_message_is_due_while_it_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="correspondent",
            constraint=models.UniqueConstraint(
                fields=("inbox", "address"), name="correspondent_once"
            ),
        ),
        migrations.AddIndex(
            model_name="outboundmessage",
            index=models.Index(
                condition=models.Q(("status", "owed")),
                fields=["due_at"],
                name="outbound_messages_due",
            ),
        ),
        migrations.AddIndex(
            model_name="outboundmessage",
            index=models.Index(
                condition=models.Q(("provider_id", ""), _negated=True),
                fields=["inbox", "provider_id"],
                name="outbound_by_provider_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="outboundmessage",
            constraint=models.UniqueConstraint(
                fields=("conversation", "seq"), name="outbound_message_once"
            ),
        ),
        audit.recorded(
            "conversations.inbox",
            owner=("accounts.website", "website_id"),
            unseen=["created_at", "trouble"],
            secret=["token", "secret", "key"],
        ),
    ]
