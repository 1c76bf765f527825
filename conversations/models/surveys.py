"""The satisfaction survey: offers, answers and omissions."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, Website
from conversations.models.conversations import Conversation
from conversations.models.engaged import Engaged


class Omission(models.TextChoices):
    """Why no survey was offered for a closure."""

    BLOCKED = "blocked", _("The visitor was blocked")
    UNANSWERED = "unanswered", _("No one had answered the visitor")
    SWITCHED_OFF = "switched_off", _("The website has no survey questions")
    WITHDRAWN = "withdrawn", _("The visitor had withdrawn consent")
    NO_MESSENGER = "no_messenger", _("The visitor writes outside the Messenger")


class SurveyOmission(models.Model):
    """A closure without a survey, and why (B11)."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="survey_omissions"
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("agent")
    )
    group = models.ForeignKey(
        Group, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("group")
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Omission.choices)
    at = models.DateTimeField(_("moment"))

    class Meta:
        verbose_name = _("survey not offered")
        verbose_name_plural = _("surveys not offered")
        indexes = [
            # reporting: omissions in a period.
            models.Index(fields=["at"], name="omissions_by_moment"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.get_reason_display()}"


class Survey(Engaged):
    """A survey, offered once for each closure (R198, C33), about an agent and a group."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="surveys")
    website = models.ForeignKey(
        Website,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,  # The conversation's foreign key guarantees it.
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, related_name="surveys", verbose_name=_("agent")
    )
    group = models.ForeignKey(
        Group, on_delete=models.PROTECT, null=True, related_name="surveys", verbose_name=_("group")
    )
    offered_at = models.DateTimeField(_("offered at"))
    answered_at = models.DateTimeField(_("answered at"), null=True)
    csat = models.PositiveSmallIntegerField(
        _("satisfaction"), null=True, validators=[MaxValueValidator(5)]
    )
    nps = models.PositiveSmallIntegerField(
        _("recommendation"), null=True, validators=[MaxValueValidator(10)]
    )
    comment = models.TextField(_("comment"), blank=True)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(answered_at=None),
                name="one_survey_to_answer",
            ),
            models.CheckConstraint(
                name="csat_from_1_to_5",
                condition=Q(csat__isnull=True) | Q(csat__gte=1, csat__lte=5),
            ),
            models.CheckConstraint(
                name="nps_from_0_to_10", condition=Q(nps__isnull=True) | Q(nps__lte=10)
            ),
        ]

        indexes = [
            # reporting: answers in a period.
            models.Index(
                fields=["website", "answered_at"],
                include=["id", "csat", "nps", "agent", "group", "rule", "style", "language"],
                condition=Q(answered_at__isnull=False),
                name="surveys_answered",
            ),
            # reporting: offers in a period, and whether they were answered.
            models.Index(
                fields=["website", "offered_at"],
                include=["id", "answered_at", "agent", "group", "rule", "style", "language"],
                name="surveys_offered",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.csat}/5 · {self.nps}/10"
