"""Agents, their slots on each channel, their skills and their groups."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.websites import Website, check_timezone


class Channel(models.TextChoices):
    """A channel, with a status button and slots of its own; the Messenger is chat (R164, C41)."""

    CHAT = "chat", _("Chat")
    MESSAGING = "messaging", _("Messaging")
    CALL = "call", _("Call")
    VIDEO = "video", _("Video")


class SkillKind(models.TextChoices):
    LANGUAGE = "language", _("Language")
    TOPIC = "topic", _("Topic")


class Skill(models.Model):
    """A language or a topic that a conversation may require of its agent (R145)."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="skills", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=SkillKind.choices,
        default=SkillKind.TOPIC,
        help_text=_("A transfer to another group keeps required languages, but not topics."),
    )

    class Meta:
        verbose_name = _("skill")
        verbose_name_plural = _("skills")
        ordering = ("kind", "name")
        constraints = [
            models.UniqueConstraint(fields=["website", "kind", "name"], name="skill_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Agent(models.Model):
    """The desk of a user. Lock this row before giving the agent another conversation."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=_("user")
    )
    display_name = models.CharField(
        _("name shown to visitors"), max_length=60, help_text=_("Shown to visitors.")
    )
    skills = models.ManyToManyField(
        Skill,
        related_name="agents",
        blank=True,
        verbose_name=_("skills"),
        help_text=_("What a conversation can require from an agent."),
    )
    languages = models.CharField(
        _("languages"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        validators=[
            RegexValidator(r"^[a-z]{2,3}(, ?[a-z]{2,3})*\Z", _("Enter codes such as: fr, en")),
        ],
        help_text=_(
            "The codes of the languages that the agent reads and writes, such as “fr, en”, if the "
            "website translates messages: into the first one. Leave empty if it is the website's."
        ),
    )

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ("display_name",)

    def __str__(self) -> str:
        return self.display_name


class AgentChannel(models.Model):
    """An agent's slots on a channel, and whether the agent is available for more."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="channels")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    slots = models.PositiveSmallIntegerField(
        _("slots"),
        default=3,
        help_text=_("How many conversations the agent can hold at the same time."),
    )
    is_available = models.BooleanField(
        _("available"), default=False, help_text=_("Set by the agent.")
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
    """A distribution group: the agents among whom conversations are distributed."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="groups", verbose_name=_("website")
    )
    name = models.CharField(_("name"), max_length=100)
    members = models.ManyToManyField(
        Agent,
        related_name="groups",
        blank=True,
        verbose_name=_("members"),
        help_text=_("Agents who receive the conversations of this group."),
    )
    managers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="managed_groups",
        blank=True,
        verbose_name=_("managers"),
        help_text=_("They manage this group and see its figures. Quality reviewers see them, too."),
    )
    answer_seconds = models.PositiveIntegerField(
        _("answer timer (seconds)"),
        null=True,
        blank=True,
        help_text=_(
            "If an agent does not answer a pushed conversation within this time, it "
            "returns to the front of the queue and the agent becomes unavailable. Leave "
            "empty for no limit."
        ),
    )
    release_minutes = models.PositiveIntegerField(
        _("automatic release (minutes)"),
        null=True,
        blank=True,
        help_text=_(
            "If an agent loses the connection, their conversations return to the queue "
            "after this time. Leave empty to never release them automatically."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[check_timezone],
        help_text=_("Used for the opening hours. Leave empty to use the website's time zone."),
    )
    keeps_places_when_closed = models.BooleanField(
        _("places outside opening hours"),
        default=True,
        help_text=_(
            "While the group is closed, its agents receive no conversations. Select this "
            "to let visitors still take a place in its queues and be answered when it "
            "opens."
        ),
    )
    is_open = models.BooleanField(
        default=True,
        editable=False,
        help_text=_("The last recorded state, valid until the next change."),
    )
    hours_change_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When the group next opens or closes.")
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

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone or self.website.time_zone)

    def is_open_at(self, at: datetime) -> bool:
        """Return the same as ``open_at`` for a loaded row."""
        return self.is_open is (self.hours_change_at is None or self.hours_change_at > at)

    def opens_at(self, at: datetime) -> datetime | None:
        """Return when the group, closed at ``at``, opens; None if it is open or this is unknown."""
        if self.is_open_at(at) or self.hours_change_at is None or self.hours_change_at <= at:
            return None
        return self.hours_change_at
