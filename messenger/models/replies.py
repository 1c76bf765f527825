"""Incoming e-mails, and their outcome."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, InboundEmail


class ReplyOutcome(models.TextChoices):
    ACCEPTED = "accepted", _("Added to the conversation")
    CLOSED = "closed", _("Conversation closed: the visitor was sent instructions to start again")
    REFUSED = "refused", _("Rejected")
    IGNORED = "ignored", _("Ignored")


class Reply(models.Model):
    """One incoming e-mail (B9). Its text is a message of the conversation, not stored here."""

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        null=True,
        related_name="replies",
        verbose_name=_("conversation"),
    )
    message_id = models.CharField("Message-ID", max_length=300)
    sender = models.CharField(_("sender"), max_length=320, blank=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=ReplyOutcome.choices)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    email = models.OneToOneField(
        InboundEmail,
        on_delete=models.CASCADE,
        null=True,
        related_name="reply",
        verbose_name=_("full e-mail"),
    )
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("reply by e-mail")
        verbose_name_plural = _("replies by e-mail")
        constraints = [
            # An e-mail that is delivered twice is one message.
            models.UniqueConstraint(
                fields=["conversation", "message_id"],
                condition=models.Q(conversation__isnull=False, outcome__in=["accepted", "closed"]),
                name="reply_once",
            ),
        ]
        indexes = [
            # messenger.mail.replies: how many came lately; the administration's list.
            models.Index(fields=["conversation", "-received_at"], name="replies_by_time"),
            models.Index(fields=["-received_at"], name="replies_newest"),
        ]

    def __str__(self) -> str:
        return self.message_id
