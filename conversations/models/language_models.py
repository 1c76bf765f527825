"""Language models: a website's choice, the log of what was sent, and what was written."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Website
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
    helps_agents = models.BooleanField(
        _("help agents to write"),
        default=False,
        db_default=False,
        help_text=_(
            "Agents can have a reply drafted from articles, and theirs rewritten or translated. "
            "Nothing is sent to a visitor by itself."
        ),
    )
    summarises = models.BooleanField(
        _("summarise when people take over"),
        default=False,
        db_default=False,
        help_text=_(
            "When a bot passes a conversation on, or an agent transfers it, the next one reads a "
            "summary of at most five lines, marked as made by a machine."
        ),
    )
    translates = models.BooleanField(
        _("translate messages"),
        default=False,
        db_default=False,
        help_text=_(
            "Where the visitor and the agent have no language in common, both read translations "
            "that are marked as made by a machine, with the original one click away. Each agent's "
            "languages are in their settings."
        ),
    )

    class Meta:
        verbose_name = _("language model")
        verbose_name_plural = _("language models")

    def __str__(self) -> str:
        return str(self.website)


class Purpose(models.TextChoices):
    """What a language model was asked for."""

    ANSWER = "answer", _("Answer of a bot")
    DRAFT = "draft", _("Draft of a reply")
    REWRITE = "rewrite", _("Rewriting")
    TRANSLATE = "translate", _("Translation for an agent")
    SUMMARY = "summary", _("Summary")
    MESSAGE = "message", _("Translation of a message")


class CallOutcome(models.TextChoices):
    """How a call to a language model ended."""

    PENDING = "pending", _("Under way, or lost")
    DONE = "done", _("Answered")
    REFUSED = "refused", _("Not used: it failed the checks")
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


class WritingKind(models.TextChoices):
    """What an agent can ask for at the composer."""

    DRAFT = "draft", _("Draft a reply")
    SHORTER = "shorter", _("Shorter")
    FRIENDLIER = "friendlier", _("Friendlier")
    FORMAL = "formal", _("More formal")
    TRANSLATE = "translate", _("Translate")


class WritingState(models.TextChoices):
    """What became of a text that an agent asked for."""

    PENDING = "pending", _("Being written")
    FAILED = "failed", _("Not written")
    READY = "ready", _("Not decided")
    USED = "used", _("Sent unchanged")
    EDITED = "edited", _("Sent with changes")
    DROPPED = "dropped", _("Dropped")


class WritingAid(models.Model):
    """A text that an agent asked a language model for: a draft of a reply with its sources, or
    another wording of their own. ``given`` is what they had written, until the text is there."""

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="writing_aids",
        verbose_name=_("conversation"),
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, related_name="writing_aids", verbose_name=_("agent")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=WritingKind.choices)
    given = models.TextField(blank=True)
    text = models.TextField(blank=True)
    sources = models.JSONField(default=list)
    state = models.CharField(
        _("outcome"), max_length=8, choices=WritingState.choices, default=WritingState.PENDING
    )
    asked_at = models.DateTimeField(_("asked at"))
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("text written for an agent")
        verbose_name_plural = _("texts written for agents")
        ordering = ("-asked_at", "-pk")
        constraints = [
            models.CheckConstraint(
                name="written_aid_has_text",
                condition=Q(state__in=["pending", "failed"]) | ~Q(text=""),
            ),
            models.CheckConstraint(
                name="decided_aid_has_its_moment",
                condition=Q(state__in=["pending", "failed", "ready"], decided_at__isnull=True)
                | Q(state__in=["used", "edited", "dropped"], decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.get_kind_display()}"


class ConversationSummary(models.Model):
    """A summary by a language model, for the agent who takes over. It covers the messages up to
    ``to_seq``."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="machine_summaries"
    )
    to_seq = models.PositiveIntegerField()
    text = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("summary by a machine")
        verbose_name_plural = _("summaries by a machine")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "to_seq"], name="one_summary_to_a_seq"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}/{self.to_seq}"


class TranslationState(models.TextChoices):
    """What became of the translation of a message."""

    DONE = "done", _("Translated")
    SAME = "same", _("Already in this language")
    FAILED = "failed", _("Not translated")


class MessageTranslation(models.Model):
    """A message in the language of its reader, by a language model. The message itself stays as it
    was written. A message without a row has not been translated yet, or need not be."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="translations"
    )
    seq = models.PositiveIntegerField()
    language = models.CharField(_("language"), max_length=10)
    is_for_visitor = models.BooleanField()
    text = models.TextField(_("text"), blank=True)
    state = models.CharField(_("outcome"), max_length=6, choices=TranslationState.choices)
    made_at = models.DateTimeField(_("moment"))

    class Meta:
        verbose_name = _("translation of a message")
        verbose_name_plural = _("translations of messages")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "seq", "language"], name="one_translation_to_a_language"
            ),
            models.CheckConstraint(
                name="done_translation_has_text",
                condition=Q(state="done") & ~Q(text="") | ~Q(state="done") & Q(text=""),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}/{self.seq} · {self.language}"
