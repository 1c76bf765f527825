"""Files and pictures attached to messages."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent
from conversations.models.conversations import Conversation
from conversations.models.visitors import Visitor


class Attachment(models.Model):
    """A file uploaded into a conversation before its message is sent, or by a ``visitor`` without a
    conversation, for the message that begins one.

    The client creates the id, so that a retried upload is stored once. ``file`` and ``thumbnail``
    are names in the default storage; files are never served by these names.
    """

    id = models.UUIDField(primary_key=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, related_name="attachments"
    )
    visitor = models.ForeignKey(
        Visitor,
        on_delete=models.CASCADE,
        null=True,
        related_name="attachments",
        help_text=_("The visitor who uploaded it before there was a conversation."),
    )
    agent = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        null=True,
        related_name="attachments",
        help_text=_("The agent who uploaded it. Empty if it was the visitor."),
    )
    name = models.CharField(_("name"), max_length=120)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size (bytes)"))
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    file = models.CharField(max_length=200)
    thumbnail = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints = [
            models.CheckConstraint(
                name="attachment_is_somewhere",
                condition=Q(conversation__isnull=False) | Q(visitor__isnull=False),
            ),
        ]
        indexes = [
            # conversations.messages.attachments: recent uploads, and those that were never sent.
            models.Index(fields=["conversation", "created_at"], name="attachments_lately"),
            models.Index(fields=["created_at"], name="attachments_by_age"),
        ]

    def __str__(self) -> str:
        return self.name
