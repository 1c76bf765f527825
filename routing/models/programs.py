"""Programs outside the product that decide what a bot says, and their conversations."""

from __future__ import annotations

import base64
import secrets

from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation
from core.encryption import EncryptedTextField
from routing.models.bots import Bot


def new_signing_secret() -> str:
    """Return a secret of 256 bits as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class Fault(models.TextChoices):
    """Why the program of a bot gave no answer, so that people took over."""

    NO_ANSWER = "no_answer", _("it gave no answer")
    TIMEOUT = "timeout", _("it was too slow")
    UNREACHABLE = "unreachable", _("it could not be reached")
    STATUS = "status", _("it reported an error")
    REDIRECT = "redirect", _("it led to another address")
    TOO_LARGE = "too_large", _("its answer was too large")
    INVALID = "invalid", _("its answer did not have the agreed format")
    FORBIDDEN = "forbidden", _("its address may not be called")
    SECRET = "secret", _("its secret can no longer be read")
    PAUSED = "paused", _("it is paused")


class BotEndpoint(models.Model):
    """The address at which a program answers for a bot (docs/bots.md).

    ``failures`` counts the events in a row that it has not answered. Requests are signed with
    ``secret``, which is stored encrypted.
    """

    bot = models.OneToOneField(
        Bot, on_delete=models.CASCADE, related_name="endpoint", verbose_name=_("bot")
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_("Receives each event of a conversation as a signed JSON request."),
    )
    owner_email = models.EmailField(
        _("person responsible"),
        help_text=_("Gets an e-mail when the bot is paused because it no longer answers."),
    )
    answer_seconds = models.PositiveIntegerField(
        _("time to answer"),
        default=60,
        validators=[MinValueValidator(10), MaxValueValidator(600)],
        help_text=_("After this time without an answer, people take over."),
    )
    secret = EncryptedTextField(purpose="bot endpoint", default=new_signing_secret, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("program of a bot")
        verbose_name_plural = _("programs of bots")

    def __str__(self) -> str:
        return self.url


class ProgramRun(models.Model):
    """A conversation with the program of a bot.

    ``seen_seq`` is the last message that the program has answered, and ``attempts`` counts the
    requests for the next one. A request is under way until ``busy_until``; nothing is sent before
    ``resume_at``. ``rest`` are the actions behind a pause, ``owed`` is an escalation, ``values``
    are what the program has set. ``fault`` says why people took over from it.
    """

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, primary_key=True, related_name="program_run"
    )
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="program_runs")
    seen_seq = models.PositiveIntegerField(default=0)
    returned_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    busy_until = models.DateTimeField(null=True)
    resume_at = models.DateTimeField(null=True)
    rest = models.JSONField(default=list)
    owed = models.JSONField(default=dict)
    values = models.JSONField(default=dict)
    turns = models.PositiveIntegerField(default=0)
    fault = models.CharField(max_length=12, choices=Fault.choices, blank=True)
    last_fault = models.CharField(max_length=12, choices=Fault.choices, blank=True)
    late_answers = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField()

    class Meta:
        verbose_name = _("conversation with a program")
        verbose_name_plural = _("conversations with programs")

    def __str__(self) -> str:
        return f"#{self.conversation_id}"
