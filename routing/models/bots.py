"""Respondents that are no people."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Website


class Bot(models.Model):
    """Answers first, and passes on to the queues of the rule that it is attached to (R33-R36)."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="bots", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=60, help_text=_("Visitors read this name."))
    greeting = models.TextField(
        _("greeting"),
        blank=True,
        help_text=_("The bot's first words, after those of the visitor. Empty: it waits."),
    )
    escalation_text = models.TextField(
        _("words at escalation"),
        blank=True,
        help_text=_("What the visitor reads when people take over. Empty: a default text."),
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
