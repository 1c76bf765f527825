"""Calls: who called whom, when, for how long, how it ended and how good it was."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Agent
from conversations.calls.states import OPEN, CallEnd, CallStatus, Side
from conversations.models.conversations import Conversation

STATUS_LABELS = {
    CallStatus.RINGING: _("Ringing"),
    CallStatus.ANSWERED: pgettext_lazy("a call", "In progress"),
    CallStatus.ENDED: _("Ended"),
    CallStatus.MISSED: _("Missed"),
    CallStatus.DECLINED: _("Declined"),
    CallStatus.FAILED: _("Failed"),
}
END_LABELS = {
    CallEnd.HUNG_UP: _("hung up"),
    CallEnd.DECLINED: _("declined"),
    CallEnd.CANCELLED: _("cancelled by the caller"),
    CallEnd.NO_ANSWER: _("not answered in time"),
    CallEnd.LOST: _("connection lost"),
    CallEnd.MOVED: _("the conversation left the desk"),
    CallEnd.FAILED: _("could not be connected"),
}
SIDES = [(Side.VISITOR, _("Visitor")), (Side.AGENT, _("Agent"))]


class Call(models.Model):
    """One call between the visitor and the agent of a conversation.

    ``deadline_at`` is when it stops ringing, or when a side has been silent for too long. ``*_tab``
    is the tab of the browser in which a side takes part. A database trigger refuses to change a
    call that is over.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="calls", verbose_name=_("conversation")
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("agent")
    )
    begun_by = models.CharField(_("begun by"), max_length=7, choices=SIDES)
    has_video = models.BooleanField(_("with video"))
    room = models.URLField(
        _("room"), blank=True, help_text=_("Where both meet, if the website uses Jitsi.")
    )
    status = models.CharField(_("status"), max_length=8, choices=list(STATUS_LABELS.items()))
    rang_at = models.DateTimeField(_("rang at"))
    answered_at = models.DateTimeField(_("answered at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    end = models.CharField(_("end"), max_length=9, choices=list(END_LABELS.items()), blank=True)
    ended_by = models.CharField(_("ended by"), max_length=7, choices=SIDES, blank=True)
    deadline_at = models.DateTimeField(_("deadline"), null=True)
    visitor_tab = models.UUIDField(null=True)
    agent_tab = models.UUIDField(null=True)
    visitor_heard_at = models.DateTimeField(null=True)
    agent_heard_at = models.DateTimeField(null=True)
    visitor_loss = models.FloatField(
        _("loss at the visitor (%)"), null=True, help_text=_("Of the packets they should get.")
    )
    agent_loss = models.FloatField(
        _("loss at the agent (%)"), null=True, help_text=_("Of the packets they should get.")
    )
    visitor_round_trip = models.PositiveIntegerField(_("round trip at the visitor (ms)"), null=True)
    agent_round_trip = models.PositiveIntegerField(_("round trip at the agent (ms)"), null=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [
            # Both constraints decide races: of two calls that begin at once, one is refused.
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(ended_at=None),
                name="one_open_call_for_each_conversation",
            ),
            models.UniqueConstraint(
                fields=["agent"], condition=Q(ended_at=None), name="one_open_call_for_each_agent"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["ringing", "answered"],
                    ended_at=None,
                    end="",
                    deadline_at__isnull=False,
                )
                | (
                    ~Q(status__in=["ringing", "answered"])
                    & Q(ended_at__isnull=False, deadline_at=None)
                    & ~Q(end="")
                ),
                name="calls_end_for_a_reason",
            ),
            models.CheckConstraint(
                condition=(Q(status__in=["answered", "ended"]) & Q(answered_at__isnull=False))
                | Q(status__in=["ringing", "missed", "declined"], answered_at=None)
                | Q(status="failed"),
                name="answered_calls_say_when",
            ),
        ]
        indexes = [
            # conversations.calls.verbs.past
            models.Index(
                fields=["deadline_at"],
                condition=Q(deadline_at__isnull=False),
                name="call_deadlines",
            ),
            # reporting: calls of a period.
            models.Index(fields=["rang_at"], name="calls_by_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.rang_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def lasted(self) -> timedelta | None:
        """How long both talked; ``None`` if it was not answered or goes on."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.answered_at

    @property
    def rang_for(self) -> timedelta | None:
        """How long it rang; ``None`` while it rings."""
        stopped = self.answered_at or self.ended_at
        return None if stopped is None else stopped - self.rang_at
