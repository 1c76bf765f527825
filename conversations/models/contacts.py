"""Contacts: the intervals of a conversation on one agent's desk."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Channel, Group, Website
from conversations.lifecycle.transitions import EndReason
from conversations.models.conversations import Conversation
from conversations.models.engaged import Engaged

END_LABELS = {
    EndReason.TRANSFERRED: _("Transferred"),
    EndReason.SNOOZED: _("Snoozed"),
    EndReason.PENDING: _("Pending"),
    EndReason.ON_HOLD: _("On hold"),
    EndReason.SOLVED: _("Solved"),
    EndReason.RELEASED: _("Released"),
    EndReason.UNANSWERED: _("Not answered in time"),
    EndReason.BLOCKED: _("Visitor blocked"),
    EndReason.CLOSED: _("Closed"),
}


class Contact(Engaged):
    """The time from when a conversation reaches a desk until it leaves it (R84, C24)."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="contacts"
    )
    website = models.ForeignKey(
        Website,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,  # The conversation's foreign key guarantees it.
    )
    agent = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        related_name="contacts",
        db_index=False,
        verbose_name=_("agent"),
    )
    group = models.ForeignKey(
        Group,
        on_delete=models.PROTECT,
        related_name="contacts",
        null=True,
        db_index=False,
        verbose_name=_("group"),
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    queued_at = models.DateTimeField(_("queued at"), help_text="Its rank in the queue.")
    began_to_wait_at = models.DateTimeField(
        help_text="When it began to wait for this desk; an expiry does not begin anew."
    )
    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    end_reason = models.CharField(
        _("reason"), max_length=12, choices=list(END_LABELS.items()), blank=True
    )

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            # Invariant 1: a conversation is on one desk at most.
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(ended_at=None), name="one_open_contact"
            ),
            models.CheckConstraint(
                name="contact_ends_after_start",
                condition=Q(ended_at=None, end_reason="")
                | (Q(ended_at__gte=F("started_at")) & ~Q(end_reason="")),
            ),
        ]
        indexes = [
            # routing.load: how many conversations an agent holds on a channel.
            models.Index(
                fields=["agent", "channel"], condition=Q(ended_at=None), name="open_contacts"
            ),
            # reporting: an agent's contacts of a period, and whether they have any at all.
            models.Index(fields=["agent", "ended_at"], name="contacts_by_end"),
            # reporting: figures of the contacts that ended in a period, by an index-only scan.
            models.Index(
                fields=["website", "ended_at"],
                include=[
                    *("id", "started_at", "agent", "group", "end_reason"),
                    *("rule", "style", "language"),
                ],
                condition=Q(ended_at__isnull=False),
                name="contacts_ended",
            ),
            # reporting: waiting times of the contacts that began in a period.
            models.Index(
                fields=["website", "started_at"],
                include=[
                    *("id", "began_to_wait_at", "agent", "group"),
                    *("rule", "style", "language"),
                ],
                name="contacts_begun",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.agent_id} · {self.started_at:%Y-%m-%d %H:%M}"
