"""Demand by hour: what the simulator's replay needs and conversations do not show."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.models import Style
from routing.models.rules import DistributionRule


class HourlyDemand(models.Model):
    """Visitors who found room at a rule in an hour and who did not, as anonymous counts (B21).

    A page that got "no room" leaves no conversation, nor does a first message that came after the
    last place had gone. Without these counts the history would show only those who were admitted.
    """

    # Website, style and groups are those of that hour; a trigger of the database writes them (C57).
    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    rule = models.ForeignKey(
        DistributionRule,
        on_delete=models.RESTRICT,  # but deleted with its website
        related_name="demand",
    )
    style = models.CharField(max_length=20, choices=Style.choices, blank=True)
    groups = ArrayField(
        models.BigIntegerField(), null=True, help_text="To which the rule led; ids."
    )
    hour = models.DateTimeField(_("hour"), help_text=_("The start of the hour."))
    pages_engaged = models.PositiveBigIntegerField(
        default=0, help_text=_("Page views that could show the Messenger.")
    )
    pages_refused = models.PositiveBigIntegerField(
        default=0, help_text=_("Page views that found no place in a queue.")
    )
    messages_refused = models.PositiveIntegerField(
        default=0, help_text=_("Visitors whose first message found no place in a queue.")
    )

    class Meta:
        verbose_name = _("demand per hour")
        verbose_name_plural = _("demand by hour")
        constraints = [
            # Also the simulator's index: a rule's hours of a period.
            models.UniqueConstraint(fields=["rule", "hour"], name="demand_once_an_hour"),
        ]
        indexes = [
            # reporting: who was refused in a period.
            models.Index(
                fields=["website", "hour"],
                condition=Q(messages_refused__gt=0),
                name="refused_by_website",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} · {self.hour:%Y-%m-%d %H}"
