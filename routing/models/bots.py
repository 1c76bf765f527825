"""Bots, the versions of their scenarios, and their conversations."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Website
from accounts.models.websites import is_among
from conversations.models import Conversation
from core import web_addresses


class BotKind(models.TextChoices):
    """What decides what a bot says."""

    SCENARIO = "scenario", _("A scenario")
    PROGRAM = "program", _("A program outside the product")


class Bot(models.Model):
    """A bot that answers first and passes on to the queues of its rule (R33-R36)."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="bots", verbose_name=_("website")
    )
    name = models.CharField(
        _("name"),
        max_length=60,
        help_text=_("Visitors read it above the bot's messages, with the word “Bot”."),
    )
    picture_url = models.URLField(
        _("picture"),
        max_length=500,
        blank=True,
        help_text=_(
            "Address of a square picture on one of the website's domains. Leave empty to show a "
            "symbol."
        ),
    )
    kind = models.CharField(
        _("controlled by"),
        max_length=10,
        choices=BotKind.choices,
        default=BotKind.SCENARIO,
        help_text=_("A program receives what happens at its address, or writes through the API."),
    )
    escalation_text = models.TextField(
        _("escalation message"),
        blank=True,
        help_text=_(
            "What the visitor reads when the bot escalates to people. Leave empty to use a "
            "default text."
        ),
    )
    published = models.ForeignKey(
        "routing.BotVersion",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("published version"),
    )

    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("bot")
        verbose_name_plural = _("bots")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["website", "name"], name="bot_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a picture that the Messenger's page may not load."""
        host = web_addresses.host_of(self.picture_url)
        if self.picture_url and self.website_id and not is_among(host, self.website.domains):
            problem = _("The picture must be on one of the website's domains.")
            raise ValidationError({"picture_url": problem})

    @property
    def can_answer(self) -> bool:
        """Whether it can begin a conversation: a scenario has to be published first, and a program
        that failed is paused."""
        if self.kind == BotKind.PROGRAM:
            return self.paused_at is None
        return self.published_id is not None


class BotDraft(models.Model):
    """A state of a bot's draft. The last one is the draft, those before it are for undoing."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="drafts")
    number = models.PositiveIntegerField()
    scenario = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("draft of a scenario")
        verbose_name_plural = _("drafts of scenarios")
        ordering = ("bot", "number")
        constraints = [
            models.UniqueConstraint(fields=["bot", "number"], name="draft_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.bot_id} · {self.number}"


class BotVersion(models.Model):
    """A published scenario. It never changes: conversations that began with it finish with it."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    scenario = models.JSONField()
    published_at = models.DateTimeField(_("published at"))
    published_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("published by"),
    )

    class Meta:
        verbose_name = _("version of a scenario")
        verbose_name_plural = _("versions of scenarios")
        ordering = ("bot", "-number")
        constraints = [
            models.UniqueConstraint(fields=["bot", "number"], name="version_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.bot_id} · {self.number}"


class BotRun(models.Model):
    """A conversation in its scenario.

    ``seen_seq`` is the last message that the bot has read, ``turns`` counts what it did, and
    ``owed`` is the HTTP call or escalation that the last turn asked for. ``trail`` are the steps
    entered, in order.
    """

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, primary_key=True, related_name="bot_run"
    )
    version = models.ForeignKey(BotVersion, on_delete=models.CASCADE, related_name="runs")
    state = models.JSONField()
    seen_seq = models.PositiveIntegerField(default=0)
    turns = models.PositiveIntegerField(default=0)
    owed = models.JSONField(default=dict)
    trail = ArrayField(models.CharField(max_length=40), default=list)
    began_at = models.DateTimeField()

    class Meta:
        verbose_name = _("conversation with a bot")
        verbose_name_plural = _("conversations with bots")
        constraints = [
            models.CheckConstraint(name="bot_run_was_begun", condition=Q(turns__gte=1)),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id}"


class BotTest(models.Model):
    """A saved test conversation: what a visitor writes, and the steps that the bot must enter. It
    is played again at each publication (B22)."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="tests")
    name = models.CharField(_("name"), max_length=80)
    language = models.CharField(_("language"), max_length=10)
    said = ArrayField(models.CharField(max_length=400), default=list)
    has_room = models.BooleanField(default=True)
    do_calls_succeed = models.BooleanField(default=True)
    is_open = models.BooleanField(default=True)
    trail = ArrayField(models.CharField(max_length=40), default=list)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("test conversation")
        verbose_name_plural = _("test conversations")
        ordering = ("bot", "name", "pk")

    def __str__(self) -> str:
        return self.name
