"""Webhooks: where events are sent, how far each has come, and each delivery."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Website
from conversations.models.conversations import Conversation
from core.encryption import EncryptedTextField


class WebhookFormat(models.TextChoices):
    STANDARD = "standard", _("Standard Webhooks (signed JSON)")
    SLACK = "slack", _("Slack message")
    TEAMS = "teams", _("Microsoft Teams message")


class PauseReason(models.TextChoices):
    FAILED = "failed", _("No delivery succeeded for three days.")
    GONE = "gone", _("The receiver answered 410 Gone.")


class Trouble(models.TextChoices):
    """Why an attempt failed."""

    STATUS = "status", _("The receiver refused it.")
    TIMEOUT = "timeout", _("The receiver did not answer in time.")
    CONNECTION = "connection", _("The receiver could not be reached.")
    FORBIDDEN = "forbidden", _("Calls to this address are not allowed.")
    SECRET = "secret", _("The signing secret can no longer be read.")
    ERASED = "erased", _("Its content was erased.")


class Webhook(models.Model):
    """A receiver of events of one website. Its secret, and for a while the one before, sign."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="webhooks", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=60)
    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_("Receives a POST request for each event."),
    )
    format = models.CharField(
        _("format"),
        max_length=10,
        choices=WebhookFormat.choices,
        default=WebhookFormat.STANDARD,
        help_text=_("Slack and Teams receive alerts only, as a sentence with a link."),
    )
    events = ArrayField(models.CharField(max_length=40), verbose_name=_("events"))
    owner = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        related_name="webhooks",
        verbose_name=_("owner"),
        help_text=_("Gets an e-mail when deliveries fail."),
    )
    is_enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_("Deselect this to send nothing for now. What happens meanwhile is sent later."),
    )
    secret = EncryptedTextField(purpose="webhook", editable=False)
    previous_secret = EncryptedTextField(purpose="webhook", editable=False, blank=True, default="")
    previous_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("website", "name", "pk")
        constraints = [
            models.UniqueConstraint(fields=["website", "name"], name="webhook_name_once"),
            models.CheckConstraint(
                condition=~Q(events=[]) & Q(events__isnull=False), name="webhook_has_events"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookProgress(models.Model):
    """How far a webhook has come in the change feed, and how it fares. Its row is the lease."""

    webhook = models.OneToOneField(
        Webhook, on_delete=models.CASCADE, primary_key=True, related_name="progress"
    )
    position = models.BigIntegerField(help_text="With entry_id, a conversations.feed.Cursor.")
    entry_id = models.BigIntegerField()
    replay = models.PositiveIntegerField(default=0, help_text="How often it was started again.")
    due_at = models.DateTimeField(help_text="Nothing is sent before.")
    leased_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="Rounds without any success.")
    failing_since = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text="Its owner was told of this failure.")
    paused_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=10, choices=PauseReason.choices, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="webhook_pause_has_its_reason",
                condition=Q(paused_at__isnull=True, pause_reason="")
                | (Q(paused_at__isnull=False) & ~Q(pause_reason="")),
            ),
            models.CheckConstraint(
                name="webhook_failures_have_a_beginning",
                condition=Q(failures=0, failing_since__isnull=True)
                | Q(failures__gt=0, failing_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id}: {self.position}.{self.entry_id}"


class WebhookDelivery(models.Model):
    """One event for one webhook: owed until it was delivered or parked.

    The content is not stored here but read from the ledger line or the message whenever it is sent
    or shown, so an erasure leaves no copy. ``alert`` has what is in no table: numbers and names.
    """

    webhook = models.ForeignKey(
        Webhook,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("webhook"),
    )
    replay = models.PositiveIntegerField(default=0)
    is_repeat = models.BooleanField(
        _("sent again"), default=False, help_text=_("A user requested that it be sent again.")
    )
    entry_id = models.BigIntegerField(null=True)
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        null=True,
        related_name="webhook_deliveries",
        verbose_name=_("conversation"),
    )
    event_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    alert = models.JSONField(null=True)
    alert_key = models.CharField(max_length=100, blank=True, help_text="The same alert, once.")
    kind = models.CharField(_("event"), max_length=40)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("next attempt"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    first_tried_at = models.DateTimeField(_("first attempt"), null=True)
    tried_at = models.DateTimeField(_("last attempt"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    parked_at = models.DateTimeField(_("given up at"), null=True)
    trouble = models.CharField(_("problem"), max_length=10, choices=Trouble.choices, blank=True)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    answer = models.TextField(_("answer"), blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "replay", "entry_id"],
                condition=Q(is_repeat=False, entry_id__isnull=False),
                name="webhook_entry_once",
            ),
            models.UniqueConstraint(
                fields=["webhook", "alert_key"],
                condition=Q(is_repeat=False) & ~Q(alert_key=""),
                name="webhook_alert_once",
            ),
            models.CheckConstraint(
                name="webhook_delivery_ends_one_way",
                condition=Q(delivered_at__isnull=True) | Q(parked_at__isnull=True),
            ),
            models.CheckConstraint(
                name="webhook_delivery_has_one_content",
                condition=Q(event_id__isnull=False, message_id__isnull=True, alert__isnull=True)
                | Q(event_id__isnull=True, message_id__isnull=False, alert__isnull=True)
                | Q(event_id__isnull=True, message_id__isnull=True, alert__isnull=False),
            ),
        ]
        indexes = [
            # conversations.webhooks.owed: what is due, and whether an earlier one is not.
            models.Index(
                fields=["webhook", "id"],
                condition=Q(delivered_at__isnull=True, parked_at__isnull=True),
                name="webhook_owed",
            ),
            models.Index(
                fields=["webhook", "conversation", "id"],
                condition=Q(delivered_at__isnull=True, parked_at__isnull=True),
                name="webhook_owed_in_order",
            ),
            # The log of a webhook, newest first.
            models.Index(F("webhook"), F("id").desc(), name="webhook_log"),
            # conversations.webhooks.owed.purge
            models.Index(fields=["created_at"], name="webhook_deliveries_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_owed(self) -> bool:
        return self.delivered_at is None and self.parked_at is None
