"""Looks: who saw a visitor's page, from when to when (R59)."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, User
from conversations.mirroring.decisions import PLACES
from conversations.models.conversations import Conversation


class LookEnd(models.TextChoices):
    LEFT = "left", _("the agent stopped looking")
    STOPPED = "stopped", _("stopped by the visitor")
    REVOKED = "revoked", _("the agent may no longer look")
    LOST = "lost", _("connection lost")


class MirrorLook(models.Model):
    """One agent's look at the page of a conversation's visitor. ``place`` is one of three.

    A database trigger refuses to change a look that has ended.
    """

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="looks", verbose_name=_("conversation")
    )
    agent = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("agent"),
    )
    place = models.PositiveSmallIntegerField()
    began_at = models.DateTimeField(_("from"))
    heard_at = models.DateTimeField(help_text=_("When the desk last reported that it looks."))
    ended_at = models.DateTimeField(_("until"), null=True)
    end = models.CharField(_("end"), max_length=8, choices=LookEnd.choices, blank=True)

    class Meta:
        verbose_name = _("look at a visitor's page")
        verbose_name_plural = _("looks at visitors' pages")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "place"],
                condition=Q(ended_at=None),
                name="one_look_for_each_place",
            ),
            models.CheckConstraint(
                condition=Q(place__gte=1, place__lte=PLACES), name="three_places_to_look"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
                name="looks_end_for_a_reason",
            ),
        ]
        indexes = [
            # conversations.mirroring.looks.end_silent: looks that are open.
            models.Index(fields=["heard_at"], condition=Q(ended_at=None), name="looks_open"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.began_at:%Y-%m-%d %H:%M}"

    @property
    def lasted(self) -> timedelta:
        return (self.ended_at or self.heard_at) - self.began_at


class LookPart(models.Model):
    """A part of what an agent saw, where the website stores it: compressed frames, without the name
    of anybody. Deleted after the website's number of days."""

    look = models.ForeignKey(
        MirrorLook,
        on_delete=models.CASCADE,
        related_name="parts",
        db_index=False,
        verbose_name=_("look"),
    )
    number = models.PositiveIntegerField(help_text="From 1 in each look.")
    at = models.DateTimeField(_("at"))
    size = models.PositiveIntegerField(_("size"), help_text="Of the compressed frames, in bytes.")
    frames = models.BinaryField()

    class Meta:
        verbose_name = _("stored part of a look")
        verbose_name_plural = _("stored parts of looks")
        constraints = [
            models.UniqueConstraint(fields=["look", "number"], name="one_number_for_each_part"),
        ]
        indexes = [
            # conversations.mirroring.stored_looks.forget
            models.Index(fields=["at"], name="look_parts_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.look_id}.{self.number}"


class LookReplay(models.Model):
    """Somebody replayed a stored look. A database trigger refuses to change it."""

    look = models.ForeignKey(
        MirrorLook, on_delete=models.CASCADE, related_name="replays", verbose_name=_("look")
    )
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("user")
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("replay of a look")
        verbose_name_plural = _("replays of looks")

    def __str__(self) -> str:
        return f"{self.look_id} · {self.at:%Y-%m-%d %H:%M}"
