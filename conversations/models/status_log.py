"""The status log: how long each agent was in which status, for availability and occupancy."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Channel, Website


class StatusInterval(models.Model):
    """An interval in which an agent was connected and kept the same status on a channel.

    There is one for each website that they work for, cut at every full hour of its wall clock, so
    that none spans two days. ``ended_at`` is empty while it is open. Its end stores how long a
    conversation was on the desk and how long one of their groups was open. ``groups`` are those at
    its start, written by the database; a change of membership starts another interval (C57).
    """

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="spans")
    website = models.ForeignKey(Website, on_delete=models.CASCADE, related_name="spans")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    groups = ArrayField(
        models.BigIntegerField(),
        null=True,
        help_text="Of which groups of the website the agent was a member; ids.",
    )
    is_available = models.BooleanField(_("available"))
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    busy_seconds = models.FloatField(
        default=0, help_text=_("With at least one conversation on the desk.")
    )
    open_seconds = models.FloatField(
        default=0, help_text=_("While at least one of their groups was open.")
    )

    class Meta:
        db_table = "conversations_statusspan"  # The former name; a rename would lock the table.
        verbose_name = _("status interval")
        verbose_name_plural = _("status intervals")
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "website", "channel"],
                condition=Q(ended_at=None),
                name="one_open_span",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gt=F("started_at")),
                name="span_has_a_length",
            ),
        ]
        indexes = [
            # reporting: a website's intervals of a period; conversations.agents.status_log: old
            # ones.
            models.Index(fields=["website", "started_at"], name="spans_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} · {self.channel} · {self.started_at:%Y-%m-%d %H:%M}"
