"""Language models: a website's choice, the log of what was sent, and what agents were written."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.models.conversations import Conversation
from core.encryption import EncryptedTextField


class LanguageModelSettings(models.Model):
    """The language model of a website. Without a row, or without a purpose that is switched on,
    nothing is ever sent."""

    website = models.OneToOneField(
        Website, on_delete=models.CASCADE, related_name="language_model", verbose_name=_("website")
    )
    base_url = models.CharField(
        _("address"),
        max_length=500,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_(
            "The part before “/chat/completions”: https://api.mistral.ai/v1, or "
            "http://localhost:11434/v1 for Ollama. Servers in your own network must be listed in "
            "PRIVATE_SERVERS."
        ),
    )
    model = models.CharField(
        _("model"), max_length=200, help_text=_("Its name at this server, such as mistral-small.")
    )
    api_key = EncryptedTextField(
        _("key"),
        purpose="language model",
        max_length=500,
        blank=True,
        default="",
        help_text=_("Sent as a bearer token. Leave empty if the server needs none."),
    )
    seconds = models.PositiveSmallIntegerField(
        _("time to answer (seconds)"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("After this time, a bot quotes an article, and an agent is told."),
    )
    daily_tokens = models.PositiveIntegerField(
        _("tokens for each day"),
        default=200_000,
        help_text=_(
            "What may be sent and received from midnight to midnight in the website's time zone. "
            "Afterwards nothing more is sent. 0 sends nothing."
        ),
    )
    answers_visitors = models.BooleanField(
        _("phrase the answers of bots"),
        default=False,
        help_text=_(
            "The step “Ask the knowledge” answers in sentences made from articles, each with its "
            "source. Answers without a valid source are not sent: the article is quoted instead."
        ),
    )
    answers_per_conversation = models.PositiveSmallIntegerField(
        _("phrased answers in a conversation"),
        default=5,
        help_text=_("Afterwards articles are quoted."),
    )

    class Meta:
        verbose_name = _("language model")
        verbose_name_plural = _("language models")

    def __str__(self) -> str:
        return str(self.website)


class Purpose(models.TextChoices):
    """What a language model was asked for."""

    ANSWER = "answer", _("Answer of a bot")


class CallOutcome(models.TextChoices):
    """How a call to a language model ended."""

    PENDING = "pending", _("Under way, or lost")
    DONE = "done", _("Answered")
    REFUSED = "refused", _("Not used: no valid source")
    SLOW = "slow", _("Too slow")
    FAILED = "failed", _("Failed")


class LanguageModelCall(models.Model):
    """A call to a language model: what left, by its hash and size, and never the text itself.

    ``tokens`` are those that the server has counted, or an estimate until it has.
    """

    website = models.ForeignKey(Website, on_delete=models.CASCADE, verbose_name=_("website"))
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="language_model_calls",
        verbose_name=_("conversation"),
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    model = models.CharField(_("model"), max_length=200)
    sent_at = models.DateTimeField(_("sent at"))
    sent_sha256 = models.CharField(_("SHA-256 of what was sent"), max_length=64)
    sent_bytes = models.PositiveIntegerField(_("bytes sent"))
    masked = models.PositiveIntegerField(
        _("masked"), default=0, help_text=_("How many pieces of personal data were left out.")
    )
    tokens = models.PositiveIntegerField(_("tokens"))
    took_seconds = models.FloatField(_("seconds"), null=True)
    outcome = models.CharField(
        _("outcome"),
        max_length=8,
        choices=CallOutcome.choices,
        default=CallOutcome.PENDING,
    )

    class Meta:
        verbose_name = _("call to a language model")
        verbose_name_plural = _("calls to language models")
        ordering = ("-sent_at", "-pk")
        constraints = [
            models.CheckConstraint(
                name="ended_call_has_its_time",
                condition=Q(outcome=CallOutcome.PENDING) | Q(took_seconds__isnull=False),
            ),
        ]
        indexes = [
            # conversations.language_models.calling: the tokens of a day.
            models.Index(fields=["website", "sent_at"], name="model_calls_by_day"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.get_purpose_display()}"
