"""Agents, what they can hold on each channel, and the groups they are members of."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.websites import Website


class Channel(models.TextChoices):
    """Each has a status button and slots of its own; the Messenger is chat (R164, C41)."""

    CHAT = "chat", _("Chat")
    MESSAGING = "messaging", _("Messaging")
    CALL = "call", _("Call")
    VIDEO = "video", _("Video")


class Agent(models.Model):
    """The desk of a user. Its row is the lock under which the desk's load may grow."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=_("user")
    )
    display_name = models.CharField(
        _("name shown to visitors"), max_length=60, help_text=_("Visitors read this name.")
    )

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ("display_name",)

    def __str__(self) -> str:
        return self.display_name


class AgentChannel(models.Model):
    """How many conversations an agent may hold on a channel, and whether more may come now."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="channels")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    slots = models.PositiveSmallIntegerField(
        _("slots"), default=3, help_text=_("Conversations at the same time.")
    )
    is_available = models.BooleanField(
        _("available"), default=False, help_text=_("What the agent chose.")
    )
    available_changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("channel of an agent")
        verbose_name_plural = _("channels of an agent")
        constraints = [
            models.UniqueConstraint(fields=["agent", "channel"], name="agent_channel_once"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} · {self.get_channel_display()}"


class Group(models.Model):
    """A distribution group: the agents among whom a queue is spread."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="groups", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=100)
    members = models.ManyToManyField(
        Agent, related_name="groups", blank=True, verbose_name=_("members")
    )
    managers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="managed_groups",
        blank=True,
        verbose_name=_("managers"),
        help_text=_("Who sees the figures of this group and steers it."),
    )
    answer_seconds = models.PositiveIntegerField(
        _("answer timer (seconds)"),
        null=True,
        blank=True,
        help_text=_(
            "An agent who does not answer a pushed conversation in this time loses it to the "
            "front of the queue and becomes unavailable. Empty: no timer."
        ),
    )
    release_minutes = models.PositiveIntegerField(
        _("automatic release (minutes)"),
        null=True,
        blank=True,
        help_text=_(
            "Conversations of an agent whose connection is lost go back to the queue after this "
            "time. Empty: never by itself."
        ),
    )

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["website", "name"], name="group_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
