"""An agent's preferences for their desk, on every device and across sessions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.agents import Agent


class Preferences(models.Model):
    """An agent's preferences, set on the desk only. Without a row the defaults apply."""

    agent = models.OneToOneField(
        Agent, on_delete=models.CASCADE, primary_key=True, related_name="preferences"
    )
    closes_snoozed = models.BooleanField(
        default=True, help_text="The state of the auto-close box of the snooze (R125-R127)."
    )
    warns_of_closure = models.BooleanField(
        default=True, help_text="The next snooze that closes by itself warns first (R128, R129)."
    )
    has_small_boxes = models.BooleanField(
        default=False, help_text="State boxes are shown as miniatures (R181)."
    )
    panes = models.PositiveSmallIntegerField(
        default=1, help_text="How many conversations the desk shows at once: 1, 2 or 4 (R186)."
    )

    class Meta:
        verbose_name = _("preferences of an agent")
        verbose_name_plural = _("preferences of agents")
        constraints = [
            models.CheckConstraint(
                name="panes_are_1_2_or_4", condition=models.Q(panes__in=[1, 2, 4])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id}"
