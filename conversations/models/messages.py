"""Messages, numbered without gaps in their conversation."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent
from conversations.models.attachments import Attachment
from conversations.models.conversations import Conversation
from core.text.search_expressions import Words


class Author(models.TextChoices):
    VISITOR = "visitor", _("Visitor")
    AGENT = "agent", _("Agent")
    BOT = "bot", _("Bot")
    SYSTEM = "system", _("System")


class Message(models.Model):
    """A message. ``seq`` counts 1, 2, 3 ...; ``client_id`` makes retries safe (B5)."""

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="messages",
        db_index=False,  # seq_once starts with it.
        verbose_name=_("conversation"),
    )
    seq = models.PositiveIntegerField(_("position"))
    client_id = models.UUIDField()
    author = models.CharField(_("author"), max_length=8, choices=Author.choices)
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, related_name="messages", verbose_name=_("agent")
    )
    body = models.TextField(_("text"), help_text="Empty only beside an attachment.")
    attachment = models.OneToOneField(
        Attachment,
        on_delete=models.PROTECT,
        null=True,
        related_name="message",
        verbose_name=_("file"),
    )
    offer = models.JSONField(
        null=True,
        help_text="Choices and cards; the body repeats them in words.",
    )
    created_at = models.DateTimeField(_("moment"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("conversation", "seq")
        constraints = [
            # Invariant 5. The first is also used to read the messages after a number
            # (conversations.messages.reading).
            models.UniqueConstraint(fields=["conversation", "seq"], name="seq_once"),
            models.UniqueConstraint(fields=["conversation", "client_id"], name="client_id_once"),
        ]
        indexes = [
            # desk.search: messages by their words. The insert that fills the pending list has to
            # merge it into the index; a short list keeps that delay small.
            GinIndex(Words(F("body")), name="messages_by_words", gin_pending_list_limit=256),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}/{self.seq}"
