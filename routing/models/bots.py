"""Bots."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.messages import rich_content
from core.rejection import Rejected


def check_choices(lines: str) -> None:
    try:
        rich_content.of_lines("…", lines)
    except Rejected as rejected:
        raise ValidationError(rejected.text) from None


class Bot(models.Model):
    """A bot that answers first and passes on to the queues of its rule (R33-R36)."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="bots", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=60, help_text=_("Shown to visitors."))
    greeting = models.TextField(
        _("greeting"),
        blank=True,
        help_text=_(
            "The bot's first message, after the visitor's. Leave empty to let the bot wait."
        ),
    )
    choices = models.TextField(
        _("choices"),
        blank=True,
        validators=[check_choices],
        help_text=_("Buttons below the greeting, one per line. Pressing one sends its text."),
    )
    escalation_text = models.TextField(
        _("escalation message"),
        blank=True,
        help_text=_(
            "What the visitor reads when the bot escalates to people. Leave empty to use a "
            "default text."
        ),
    )

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
        if self.choices.strip() and not self.greeting.strip():
            raise ValidationError({"greeting": _("Choices need a greeting. Write one.")})
