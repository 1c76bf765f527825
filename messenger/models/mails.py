"""E-mails to visitors: what is owed, and each attempt to send it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation


class MailKind(models.TextChoices):
    ANSWER = "answer", _("An agent has answered")
    CLOSED = "closed", _("The reply came too late: how to start again")


class MailStatus(models.TextChoices):
    OWED = "owed", _("To be sent")
    SENT = "sent", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


class Mail(models.Model):
    """One e-mail to a visitor, about the messages after ``from_seq`` up to ``to_seq`` (C10).

    The row is the to-do list and the record: a lease marks who is sending it now. Its
    ``Message-ID`` is made of ``public_id``, so that every attempt carries the same.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="mails", verbose_name=_("conversation")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=MailKind.choices)
    to = models.EmailField(_("to"), max_length=254)
    from_seq = models.PositiveIntegerField(default=0)
    to_seq = models.PositiveIntegerField(default=0)
    status = models.CharField(
        _("status"), max_length=10, choices=MailStatus.choices, default=MailStatus.OWED
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("due at"))
    leased_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        constraints = [
            # The same messages are never announced twice.
            models.UniqueConstraint(
                fields=["conversation", "to_seq"],
                condition=Q(kind="answer") & ~Q(status="cancelled"),
                name="messages_mailed_once",
            ),
            models.CheckConstraint(
                name="mail_ends_once",
                condition=Q(status="owed", ended_at=None)
                | (~Q(status="owed") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            # messenger.mail.delivery: what is to be sent, the longest due first.
            models.Index(fields=["due_at"], condition=Q(status="owed"), name="mails_owed"),
            # messenger.mail.pending_mails: up to which message a visitor was notified.
            models.Index(fields=["conversation", "kind", "-to_seq"], name="mailed_up_to"),
            # the administration's list, newest first.
            models.Index(fields=["-created_at"], name="mails_by_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.get_kind_display()}"


class Attempt(models.Model):
    """One attempt to hand an e-mail to the mail server. Without an end, the process died in it."""

    mail = models.ForeignKey(Mail, on_delete=models.CASCADE, related_name="attempts")
    begun_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    was_accepted = models.BooleanField(_("accepted"), null=True)
    answer = models.CharField(_("mail server response"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.begun_at:%Y-%m-%d %H:%M:%S}"
