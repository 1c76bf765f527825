"""Notes of agents about a conversation, which visitors never see."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent
from conversations.models.conversations import Conversation
from core.text.search_expressions import Words


class Note(models.Model):
    """A note. It is not a message, so that no code for visitors can return one by mistake."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="notes")
    body = models.TextField(_("note"))
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ("created_at", "pk")
        indexes = [
            # desk.search: notes by their words.
            GinIndex(Words(F("body")), name="notes_by_words"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.agent_id}"
