"""Co-browsing: what agents did on visitors' pages, with their permission (R191)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, CobrowsingPermission
from conversations.models.conversations import Conversation
from conversations.models.looks import MirrorLook


class CobrowsingEnd(models.TextChoices):
    DECLINED = "declined", _("declined by the visitor")
    UNANSWERED = "unanswered", _("not answered")
    STOPPED = "stopped", _("stopped by the visitor")
    LEFT = "left", _("ended by the agent")
    REVOKED = "revoked", _("no longer allowed")


class CobrowsingSession(models.Model):
    """An agent asked to act on the page that they look at; from ``accepted_at`` on, they may.

    A session ends with its look at the latest. A database trigger refuses to change one that has
    ended.
    """

    look = models.ForeignKey(
        MirrorLook, on_delete=models.CASCADE, related_name="sessions", verbose_name=_("look")
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="cobrowsing",
        verbose_name=_("conversation"),
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("agent")
    )
    allowed = ArrayField(
        models.CharField(max_length=9, choices=CobrowsingPermission.choices),
        verbose_name=_("allowed"),
        help_text="The permissions that the visitor was shown.",
    )
    asked_at = models.DateTimeField(_("asked at"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True)
    ended_at = models.DateTimeField(_("until"), null=True)
    end = models.CharField(_("end"), max_length=10, choices=CobrowsingEnd.choices, blank=True)

    class Meta:
        verbose_name = _("co-browsing session")
        verbose_name_plural = _("co-browsing sessions")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(ended_at=None),
                name="one_open_cobrowsing_session",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
                name="cobrowsing_ends_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(accepted_at__gte=models.F("asked_at")),
                name="cobrowsing_is_accepted_after_it_is_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.asked_at:%Y-%m-%d %H:%M}"


class Outcome(models.TextChoices):
    """What the visitor's browser did with an action. Empty: it has not answered."""

    DONE = "done", _("done")
    NOT_ALLOWED = "not_allowed", _("refused: not allowed")
    SECRET = "secret", _("refused: password, payment field or file")
    PRIVATE = "private", _("refused: private part of the page")
    ELSEWHERE = "elsewhere", _("refused: leads to another site")
    CHANGED = "changed", _("refused: the page has changed")
    UNFIT = "unfit", _("refused: not possible on this element")
    STOPPED = "stopped", _("refused: stopped meanwhile")


class CobrowsingAct(models.Model):
    """One action of an agent. ``target`` is the element as the visitor's browser names it; what was
    filled in is not stored. A database trigger refuses to change an answered action."""

    session = models.ForeignKey(
        CobrowsingSession, on_delete=models.CASCADE, related_name="acts", db_index=False
    )
    number = models.PositiveIntegerField(_("number"), help_text="From 1 in each session.")
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("action"), max_length=9, choices=CobrowsingPermission.choices)
    target = models.CharField(_("target"), max_length=200, blank=True)
    outcome = models.CharField(_("outcome"), max_length=11, choices=Outcome.choices, blank=True)

    class Meta:
        verbose_name = _("co-browsing action")
        verbose_name_plural = _("co-browsing actions")
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="one_number_for_each_act"),
            models.CheckConstraint(
                condition=~Q(kind=CobrowsingPermission.POINT), name="pointers_are_no_acts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}.{self.number}"
