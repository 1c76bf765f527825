"""Notices of the product to an agent, until they have read them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Channel
from conversations.models.conversations import Conversation
from conversations.models.notes import Note


class NoticeKind(models.TextChoices):
    UNANSWERED = "unanswered", _("Pushed and not answered in time")
    MENTIONED = "mentioned", _("Mentioned in a note")


class Notice(models.Model):
    """A notice, stored in the transaction of its cause, so that a desk that was offline shows it
    later (C25)."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="notices")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=NoticeKind.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    note = models.ForeignKey(
        Note, on_delete=models.CASCADE, null=True, related_name="notices", help_text="That calls."
    )
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice to an agent")
        verbose_name_plural = _("notices to agents")
        indexes = [
            # desk: an agent's unread notices.
            models.Index(
                fields=["agent", "created_at"], condition=Q(read_at=None), name="unread_notices"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} · {self.kind} · #{self.conversation_id}"
