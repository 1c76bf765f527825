"""Reply suggestions: good past answers, offered suggestions and the website's provider."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, Website
from conversations.models.conversations import Conversation
from core.encryption import EncryptedTextField


class SuggestionSettings(models.Model):
    """A website's settings. Without a row suggestions are on, without a provider."""

    website = models.OneToOneField(
        Website, on_delete=models.CASCADE, related_name="suggestions", verbose_name=_("website")
    )
    is_on = models.BooleanField(_("suggest replies to agents"), default=True)
    provider_url = models.CharField(
        _("provider address"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_(
            "Also queried with a JSON POST request. Leave empty to query no external provider."
        ),
    )
    provider_secret = EncryptedTextField(
        _("provider secret"),
        purpose="suggestion provider",
        max_length=200,
        blank=True,
        default="",
        help_text=_("Sent as a bearer token."),
    )
    sends_personal_data = models.BooleanField(
        _("send personal data to the provider"),
        default=False,
        help_text=_(
            "Select this to send the visitor's name and the last messages unchanged. "
            "Otherwise only the last question is sent, without names, addresses or "
            "numbers."
        ),
    )
    learnt_until = models.DateTimeField(
        null=True,
        editable=False,
        help_text=_("Conversations closed up to this time have been processed."),
    )

    class Meta:
        verbose_name = _("reply suggestions")
        verbose_name_plural = _("reply suggestions")

    def __str__(self) -> str:
        return str(self.website)


class PastAnswer(models.Model):
    """A question and an agent's answer from a conversation that closed well, both without personal
    data (``conversations.suggestions.screening``)."""

    website = models.ForeignKey(Website, on_delete=models.CASCADE)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="past_answers"
    )
    seq = models.PositiveIntegerField(help_text=_("Number of the first message of the answer."))
    language = models.CharField(max_length=10)
    question = models.TextField(help_text="Folded and redacted: to compare, never to show.")
    answer = models.TextField()
    words = SearchVectorField(help_text="The question's stems, by the language's configuration.")

    class Meta:
        verbose_name = _("past answer")
        verbose_name_plural = _("past answers")
        constraints = [
            # conversations.suggestions.learning: the answers of a conversation.
            models.UniqueConstraint(fields=["conversation", "seq"], name="past_answer_once"),
        ]
        indexes = [
            # conversations.suggestions.finding: questions that share a stem with the visitor's.
            GinIndex(fields=["words"], name="past_answers_by_words"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}/{self.seq}"


class SuggestionUse(models.TextChoices):
    USED = "used", _("Used")
    EDITED = "edited", _("Used with changes")
    IGNORED = "ignored", _("Ignored")


class SuggestionOffer(models.Model):
    """The suggestions for one agent and one question, and whether one was used (R185)."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="suggestion_offers"
    )
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="suggestion_offers")
    group = models.ForeignKey(
        Group,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="For which the agent had the conversation; the database writes it (C57).",
    )
    seq = models.PositiveIntegerField(help_text=_("Number of the visitor's last message."))
    suggestions = models.JSONField(default=list)
    offered_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=SuggestionUse.choices, blank=True)
    source = models.CharField(
        max_length=10, blank=True, help_text=_("Source of the suggestion that was used.")
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "agent", "seq"], name="suggestion_offer_once"
            ),
            models.CheckConstraint(
                name="outcome_has_its_moment",
                condition=Q(outcome="", decided_at__isnull=True)
                | (~Q(outcome="") & Q(decided_at__isnull=False)),
            ),
        ]
        indexes = [
            # reporting: decisions in a period.
            models.Index(
                fields=["decided_at"],
                condition=Q(decided_at__isnull=False),
                name="suggestions_by_decision",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}/{self.seq}"
