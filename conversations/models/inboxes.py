"""Inboxes: where people write to a website besides its Messenger, and what came and left there."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.models.conversations import Conversation
from conversations.models.messages import Message
from conversations.models.visitors import Visitor
from core.encryption import EncryptedTextField


def new_key() -> str:
    return secrets.token_urlsafe(18)


class Inbox(models.Model):
    """A connection of a website to a channel outside the Messenger, such as a bot of Telegram.

    ``kind`` names a connector of ``messenger.channels``. ``key`` is a part of the address that the
    provider calls. What the provider requires is in ``token``, ``secret`` and ``options``.
    """

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="inboxes", verbose_name=_("website")
    )
    kind = models.CharField(_("channel"), max_length=20)
    name = models.CharField(
        _("name"), max_length=60, help_text=_("Shown to agents beside the conversation.")
    )
    rule = models.ForeignKey(
        "routing.DistributionRule",
        on_delete=models.RESTRICT,  # but deleted with its website
        related_name="inboxes",
        verbose_name=_("distribution rule"),
        help_text=_("Where its conversations go. Choose a rule whose queues have places."),
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Deselect this to accept and send nothing. Nothing that waits is lost."),
    )
    key = models.CharField(max_length=40, unique=True, default=new_key, editable=False)
    token = EncryptedTextField(_("access token"), blank=True, purpose="inbox.token")
    secret = EncryptedTextField(_("secret"), blank=True, purpose="inbox.secret")
    options = models.JSONField(default=dict, blank=True, editable=False)
    templates = models.JSONField(
        default=list,
        db_default=[],
        editable=False,
        help_text="Texts that the provider has approved (conversations.inboxes.templates).",
    )
    trouble = models.CharField(_("problem"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    class Meta:
        verbose_name = _("inbox")
        verbose_name_plural = _("inboxes")
        ordering = ("website", "name")
        constraints = [
            models.UniqueConstraint(fields=["website", "name"], name="inbox_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class MailboxPosition(models.Model):
    """Up to where the mailbox of an inbox was fetched: a number of the server (RFC 9051)."""

    inbox = models.OneToOneField(
        Inbox, on_delete=models.CASCADE, primary_key=True, related_name="position"
    )
    validity = models.CharField(max_length=40, help_text="UIDVALIDITY: which numbers these are.")
    uid = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.inbox_id}: {self.validity}.{self.uid}"


class Correspondent(models.Model):
    """Somebody who writes to an inbox: their address there, and the visitor that they are.

    Two correspondents are never taken for the same person because they look alike.
    """

    inbox = models.ForeignKey(Inbox, on_delete=models.CASCADE, related_name="correspondents")
    visitor = models.OneToOneField(Visitor, on_delete=models.CASCADE, related_name="correspondent")
    address = models.CharField(_("address"), max_length=320)
    created_at = models.DateTimeField(_("created at"))
    told_at = models.DateTimeField(
        null=True, help_text="When they were last told that there is no room."
    )

    class Meta:
        verbose_name = _("correspondent")
        verbose_name_plural = _("correspondents")
        constraints = [
            models.UniqueConstraint(fields=["inbox", "address"], name="correspondent_once"),
        ]

    def __str__(self) -> str:
        return self.address


class InboundStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    ACCEPTED = "accepted", _("Added to the conversation")
    REFUSED = "refused", _("Rejected")


class InboundMessage(models.Model):
    """What a provider delivered: stored before the provider gets its answer, once for each of its
    ids, and waiting until a conversation has taken it.

    ``content`` is a ``messenger.channels.connector.Incoming``, and is emptied when it was taken.
    """

    inbox = models.ForeignKey(
        Inbox,
        on_delete=models.CASCADE,
        related_name="inbound",
        db_index=False,
        verbose_name=_("inbox"),
    )
    correspondent = models.ForeignKey(
        Correspondent, on_delete=models.CASCADE, related_name="inbound", verbose_name=_("sender")
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        null=True,
        related_name="inbound_messages",
        verbose_name=_("conversation"),
    )
    provider_id = models.CharField(_("id at the provider"), max_length=300)
    content = models.JSONField(default=dict)
    file = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="The stored e-mail, until a conversation has it.",
    )
    status = models.CharField(
        _("status"),
        max_length=8,
        choices=InboundStatus.choices,
        default=InboundStatus.WAITING,
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(help_text="By the provider's clock; the order of the messages.")
    received_at = models.DateTimeField(_("received at"))
    due_at = models.DateTimeField(_("next attempt"), null=True)

    class Meta:
        verbose_name = _("inbound message")
        verbose_name_plural = _("inbound messages")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["inbox", "provider_id"], name="inbound_message_once"),
            models.CheckConstraint(
                name="inbound_message_is_due_while_it_waits",
                condition=Q(status="waiting", due_at__isnull=False)
                | (~Q(status="waiting") & Q(due_at__isnull=True)),
            ),
        ]
        indexes = [
            # messenger.channels.inbound: what is due.
            models.Index(
                fields=["due_at"], condition=Q(status="waiting"), name="inbound_messages_due"
            ),
        ]

    def __str__(self) -> str:
        return self.provider_id


class OutboundStatus(models.TextChoices):
    OWED = "owed", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    READ = "read", _("Read by the visitor")
    FAILED = "failed", _("Not delivered")


class OutboundMessage(models.Model):
    """The delivery of a message by an inbox: owed, or what the provider said of it since."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="outbound")
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="outbound_messages",
        db_index=False,
        verbose_name=_("conversation"),
    )
    inbox = models.ForeignKey(
        Inbox,
        on_delete=models.CASCADE,
        related_name="outbound",
        db_index=False,
        verbose_name=_("inbox"),
    )
    seq = models.PositiveIntegerField(_("position"))
    status = models.CharField(
        _("status"), max_length=9, choices=OutboundStatus.choices, default=OutboundStatus.OWED
    )
    provider_id = models.CharField(_("id at the provider"), max_length=300, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("next attempt"))
    leased_until = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(_("changed at"), null=True)

    class Meta:
        verbose_name = _("outbound message")
        verbose_name_plural = _("outbound messages")
        ordering = ("-pk",)
        constraints = [
            # Also read for the ticks of a conversation.
            models.UniqueConstraint(fields=["conversation", "seq"], name="outbound_message_once"),
        ]
        indexes = [
            # messenger.channels.outbound: what is due.
            models.Index(
                fields=["due_at"], condition=Q(status="owed"), name="outbound_messages_due"
            ),
            # messenger.channels.receipts: the message that a receipt is about.
            models.Index(
                fields=["inbox", "provider_id"],
                condition=~Q(provider_id=""),
                name="outbound_by_provider_id",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}/{self.seq}"
