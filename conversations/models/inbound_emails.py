"""E-mails from visitors, stored as received."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.conversations import Conversation


class InboundEmail(models.Model):
    """An e-mail received in a conversation: its whole text and its file (B29).

    ``seq`` is the first message created from it; empty if there is none. ``file`` is a name in the
    default storage. Agents can open it, visitors cannot.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="inbound_emails",
        verbose_name=_("conversation"),
        db_index=False,  # email_of_message starts with it.
    )
    seq = models.PositiveIntegerField(null=True)
    sender = models.CharField(_("sender"), max_length=320, blank=True)
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    text = models.TextField(_("text"), blank=True)
    file_names = models.JSONField(_("files"), default=list)
    size = models.PositiveIntegerField(_("size (bytes)"))
    file = models.CharField(max_length=200)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("inbound e-mail")
        verbose_name_plural = _("inbound e-mails")
        constraints = [
            # Also used by conversations.messages.reading for the e-mail of a message.
            models.UniqueConstraint(fields=["conversation", "seq"], name="email_of_message"),
        ]

    def __str__(self) -> str:
        return self.subject or str(self.pk)
