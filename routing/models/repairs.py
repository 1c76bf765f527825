"""What the safety sweep had to push because no event had done so; none in a healthy system."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Website
from conversations.models import Conversation


class Repair(models.Model):
    """A conversation waited although an agent could take it, and no drain was owed (R98, B1)."""

    website = models.ForeignKey(Website, on_delete=models.CASCADE, related_name="repairs")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="repairs")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    waited = models.DurationField(help_text=_("Time since the wait began."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("repair by the sweep")
        verbose_name_plural = _("repairs by the sweep")
        ordering = ("-at",)
        indexes = [
            # routing.repairs.of: how many since a moment, and the last.
            models.Index(fields=["website", "at"], name="repairs_by_website"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} {self.at:%Y-%m-%d %H:%M:%S}"
