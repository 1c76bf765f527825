"""Drafts: messages that agents have begun and not sent."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent
from conversations.models.conversations import Conversation


class Draft(models.Model):
    """An agent's draft in a conversation, stored so that they can continue on another device."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="drafts")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="drafts")
    body = models.TextField()
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            models.UniqueConstraint(fields=["agent", "conversation"], name="draft_once"),
        ]
        indexes = [
            # conversations.tasks.forget_traces: abandoned drafts.
            models.Index(fields=["saved_at"], name="drafts_by_age"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.agent_id}"
