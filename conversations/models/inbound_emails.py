"""E-mails that visitors sent, kept as they came."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.conversations import Conversation


class InboundEmail(models.Model):
    """An e-mail that came into a conversation: what it says as a whole, and its file (B29).

    ``seq`` is the first message that was made of it; none where it became no message. ``file`` is a
    name in the default storage. Agents open it; visitors are never offered it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="inbound_emails",
        verbose_name=_("conversation"),
        db_index=False,  # email_of_message begins with it
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
            # Also serves conversations.messages.reading: the e-mail that a message came from.
            models.UniqueConstraint(fields=["conversation", "seq"], name="email_of_message"),
        ]

    def __str__(self) -> str:
        return self.subject or str(self.pk)
