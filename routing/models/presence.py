"""Which desks are connected."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent


class DeskConnection(models.Model):
    """One desk socket of an agent, on one device. Its row goes when the agent logs out."""

    id = models.UUIDField(primary_key=True)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="connections")
    opened_at = models.DateTimeField()
    heard_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("desk connection")
        verbose_name_plural = _("desk connections")
        indexes = [
            # routing.presence: is this agent connected, and since when not.
            models.Index(fields=["agent", "heard_at"], name="heard_by_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} · {self.heard_at:%H:%M:%S}"


class DeskPresence(models.Model):
    """The last connection state announced for an agent, so that each change is announced once."""

    agent = models.OneToOneField(
        Agent, on_delete=models.CASCADE, primary_key=True, related_name="presence"
    )
    is_connected = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("presence of an agent")
        verbose_name_plural = _("presence of agents")

    def __str__(self) -> str:
        return f"{self.agent_id} · {self.is_connected}"
