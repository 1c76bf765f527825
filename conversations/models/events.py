"""The ledger: what happened to a conversation, by whom and when. Append-only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, Website
from conversations.lifecycle.transitions import Verb
from conversations.models.choices import STATUS_LABELS, ActorKind
from conversations.models.conversations import Conversation

COUNTED = (
    Verb.TRANSFER_TO_GROUP,
    Verb.TRANSFER_TO_AGENT,
    Verb.SNOOZE,
    Verb.REOPEN,
    Verb.REOPEN_TO_GROUP,
    Verb.EXPIRE,
    Verb.RELEASE,
    Verb.REQUEUE,
)
"""The verbs whose lines figures count. The others are counted by their contacts."""


class Event(models.Model):
    """One line of the ledger. Replaying the lines in order of ``id`` gives the conversation's row.

    A database trigger refuses changes of existing lines.
    """

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="events",
        db_index=False,  # events_in_order starts with it.
        verbose_name=_("conversation"),
    )
    website = models.ForeignKey(
        Website,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,  # The conversation's foreign key guarantees it.
        verbose_name=_("website"),
    )
    verb = models.CharField(_("event"), max_length=20)
    at = models.DateTimeField(_("moment"))
    actor_kind = models.CharField(_("by"), max_length=8, choices=ActorKind.choices)
    actor_user_id = models.BigIntegerField(
        null=True, help_text=_("The user who did it. Empty if no user did.")
    )
    actor_agent = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The desk that this user had then; the database writes it (C57).",
    )
    to_status = models.CharField(
        _("new status"), max_length=10, choices=list(STATUS_LABELS.items())
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("agent")
    )
    group = models.ForeignKey(
        Group, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("group")
    )
    queue_id = models.BigIntegerField(null=True)
    deadline_at = models.DateTimeField(_("deadline"), null=True)
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("id",)
        indexes = [
            # manage.py verify_ledger, and the history of a conversation.
            models.Index(fields=["conversation", "id"], name="events_in_order"),
            # routing.wait_estimate: the last pushes.
            models.Index(fields=["verb", "at"], name="events_by_verb"),
            # reporting: figures of transfers, snoozes and others in a period, by an index-only
            # scan. The most frequent verbs are not in the index.
            models.Index(
                fields=["website", "verb", "at"],
                include=["id", "conversation", "group", "actor_agent"],
                condition=Q(verb__in=[verb.value for verb in COUNTED]),
                name="events_counted",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} {self.verb} {self.at:%Y-%m-%d %H:%M:%S}"
