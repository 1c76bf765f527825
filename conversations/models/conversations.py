"""The conversation: from the visitor's first message to its closure."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts import supervision
from accounts.models import Agent, Channel, Group, Role, User, Website
from conversations.lifecycle.transitions import WAITING
from conversations.models.choices import (
    DEADLINE_LABELS,
    STATUS_LABELS,
    ActorKind,
    CloseReason,
    Style,
)
from conversations.models.visitors import Visitor


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: User) -> ConversationQuerySet:
        """Filter by what ``user`` may read. Everything else is a 404 for them.

        Administrators and auditors see all; managers and reviewers what they oversee. Agents, and
        managers who converse, see their own conversations and those of their groups.
        """
        if not user.is_active:
            return self.none()
        within = {} if user.confined_to is None else {"website__in": user.confined_to}
        if user.sees_everything:
            return self.filter(**within)
        # Subqueries instead of joins: no duplicate rows, and each is evaluated once for all rows.
        groups = Group.objects.filter(members__user=user)
        mine = Q(agent__in=Agent.objects.filter(user=user).order_by().values("pk")) | Q(
            group__in=groups.order_by().values("pk")
        )
        if user.oversees:
            mine |= supervision.rows_of(user)
        return self.filter(mine, **within)

    def waiting(self) -> ConversationQuerySet:
        return self.filter(status__in=WAITING)


class Conversation(models.Model):
    """A conversation of a visitor with a brand.

    Only ``conversations.lifecycle`` writes ``status``. The primary key is the number that agents
    see (#1042); visitors only ever see ``public_id``.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No indexes of their own: openings_by_website and by_visitor start with these columns.
    website = models.ForeignKey(
        Website,
        on_delete=models.PROTECT,
        related_name="conversations",
        db_index=False,
        verbose_name=_("website"),
    )
    visitor = models.ForeignKey(
        Visitor,
        on_delete=models.PROTECT,
        related_name="conversations",
        db_index=False,
        verbose_name=_("visitor"),
    )
    status = models.CharField(_("status"), max_length=10, choices=list(STATUS_LABELS.items()))
    channel = models.CharField(
        _("channel"), max_length=10, choices=Channel.choices, default=Channel.CHAT
    )
    # Without the database's constraint, which would be checked against every row under a lock.
    inbox = models.ForeignKey(
        "conversations.Inbox",
        models.PROTECT,
        null=True,
        db_index=False,
        db_constraint=False,
        verbose_name=_("inbox"),
    )
    style = models.CharField(_("style"), max_length=20, choices=Style.choices, default=Style.LIVE)
    solved_window = models.DurationField(
        _("return window"),
        null=True,
        help_text=_("Time between solved and closed. Empty: closes immediately."),
    )
    is_asynchronous = models.BooleanField(
        _("asynchronous"),
        default=False,
        help_text=_("Entered through a queue with places. Can be snoozed."),
    )
    language = models.CharField(_("language"), max_length=10)
    page_url = models.URLField(_("page"), max_length=2000, blank=True)

    rule = models.ForeignKey(
        "routing.DistributionRule",
        on_delete=models.PROTECT,
        null=True,
        related_name="conversations",
        verbose_name=_("distribution rule"),
        help_text=_("The rule that engaged the visitor."),
    )
    queue = models.ForeignKey(
        "routing.RuleStep",
        on_delete=models.PROTECT,
        null=True,
        related_name="conversations",
        verbose_name=_("queue"),
    )
    group = models.ForeignKey(
        Group, models.PROTECT, null=True, related_name="conversations", verbose_name=_("group")
    )
    agent = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        null=True,
        related_name="conversations",
        verbose_name=_("agent"),
    )
    required_skills = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        verbose_name=_("required skills"),
        help_text=_("Ids of the skills that an agent must have to receive it. All are required."),
    )
    skill_patience = models.DurationField(
        _("wait for a skill"),
        null=True,
        help_text=_("How long it waits in a queue for an agent with the skills. Empty: no limit."),
    )
    are_skills_relaxed = models.BooleanField(
        default=False, help_text=_("The wait for a skill has ended. Any member can take it.")
    )
    is_return = models.BooleanField(
        default=False, help_text=_("Waits as a returning conversation, not as a new one.")
    )
    is_kept = models.BooleanField(
        default=False, help_text=_("Returns to the agent who snoozed it.")
    )
    is_auto_close = models.BooleanField(
        default=False, help_text=_("Closes if the visitor does not reply before the snooze ends.")
    )

    # One address may take only a share of a queue's places, and whoever never comes back after the
    # first message takes none (docs/adr/0043).
    opened_from = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="Keyed hash of an anonymous visitor's address until a desk is reached.",
    )
    seen_again_at = models.DateTimeField(
        null=True, help_text="When its visitor was first heard from after the first message."
    )

    # Stored with the conversation: a bot that is renamed, or deleted, keeps the name under which it
    # spoke.
    bot_name = models.CharField(max_length=60, blank=True, default="", db_default="")
    bot_picture = models.CharField(max_length=500, blank=True, default="", db_default="")

    # A conversation that was had elsewhere: its source names it there (docs/adr/0062).
    imported_from = models.CharField(
        _("imported from"), max_length=30, blank=True, default="", db_default=""
    )
    imported_id = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="Its number there."
    )
    is_in_figures = models.BooleanField(
        default=True, db_default=True, help_text="Figures leave it out otherwise: it is imported."
    )

    mirroring_stopped_at = models.DateTimeField(
        null=True, help_text=_("When the visitor stopped mirroring. No one can look from then on.")
    )

    opened_at = models.DateTimeField(_("opened at"))
    queued_at = models.DateTimeField(_("rank in the queue"), null=True)
    moved_at = models.DateTimeField(_("in this state since"))
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closed_by = models.CharField(
        _("closed by"), max_length=10, choices=ActorKind.choices, blank=True
    )
    close_reason = models.CharField(
        _("reason"), max_length=20, choices=CloseReason.choices, blank=True
    )

    deadline_at = models.DateTimeField(_("deadline"), null=True)
    deadline_kind = models.CharField(
        _("what happens at the deadline"),
        max_length=20,
        choices=list(DEADLINE_LABELS.items()),
        blank=True,
    )

    last_seq = models.PositiveIntegerField(default=0)
    visitor_read_seq = models.PositiveIntegerField(default=0)
    agent_read_seq = models.PositiveIntegerField(default=0)
    last_visitor_message_at = models.DateTimeField(null=True)
    last_agent_message_at = models.DateTimeField(null=True)
    first_human_reply_at = models.DateTimeField(null=True)
    visitor_waits_since = models.DateTimeField(
        null=True, help_text=_("Since when the visitor has been waiting for an answer.")
    )
    notify_at = models.DateTimeField(
        null=True,
        help_text=_("When to check whether to notify the visitor of an answer by e-mail (C10)."),
    )

    # Denormalized from the ledger for the reports: ``conversations.lifecycle.denormalized``.
    began_to_wait_at = models.DateTimeField(
        null=True, help_text="When it last began to wait for a desk; an expiry does not."
    )
    last_holder = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,  # The contact's foreign key guarantees it.
        help_text="The agent who last had it on their desk.",
    )
    contact_count = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many times it has reached a desk."
    )
    changed_hands = models.BooleanField(
        default=False, db_default=False, help_text="It has been on desks of different agents."
    )
    is_begun_by_bot = models.BooleanField(default=False, db_default=False)
    payee = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The expert whom the closed conversation pays, if any (R66, C28).",
    )
    payee_role = models.CharField(
        max_length=10,
        choices=Role.choices,
        blank=True,
        default="",
        db_default="",
        help_text="The role that the credited agent had at the closure (C57).",
    )
    open_response_seconds = models.FloatField(
        null=True,
        help_text=(
            "The first response in the opening hours of the closure; empty: every hour counts."
        ),
    )
    open_resolution_seconds = models.FloatField(
        null=True,
        help_text=("The resolution in the opening hours of the closure; empty: every hour counts."),
    )

    objects: ClassVar[models.Manager[Conversation]] = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            models.CheckConstraint(
                name="holder_fits_status",
                condition=(
                    # A paused conversation may have no agent (C4, C51).
                    ~Q(status__in=["active", "assigned"]) | Q(agent__isnull=False)
                )
                & (~Q(status__in=["bot", "queued"]) | Q(agent__isnull=True)),
            ),
            models.CheckConstraint(
                name="queued_has_group",
                condition=~Q(status="queued") | Q(group__isnull=False, queued_at__isnull=False),
            ),
            models.CheckConstraint(
                name="closed_says_by_whom",
                condition=(Q(status="closed") & Q(closed_at__isnull=False) & ~Q(closed_by=""))
                | (~Q(status="closed") & Q(closed_at__isnull=True) & Q(closed_by="")),
            ),
            models.CheckConstraint(
                name="deadline_is_whole",
                condition=Q(deadline_at__isnull=True, deadline_kind="")
                | (Q(deadline_at__isnull=False) & ~Q(deadline_kind="")),
            ),
            models.CheckConstraint(
                name="timed_states_have_deadline",
                condition=~Q(status__in=["assigned", "snoozed", "solved"])
                | Q(deadline_at__isnull=False),
            ),
            models.CheckConstraint(
                name="read_is_written",
                condition=Q(visitor_read_seq__lte=F("last_seq"))
                & Q(agent_read_seq__lte=F("last_seq")),
            ),
        ]
        indexes = [
            # routing.dispatch: the oldest conversation that a group's agent may take.
            models.Index(
                fields=["group", "channel", "queued_at", "id"],
                condition=Q(status="queued"),
                name="queued_by_group",
            ),
            # routing.dispatch: conversations assigned to an agent; lifecycle and desk: those they
            # hold.
            models.Index(
                fields=["agent", "status"],
                condition=~Q(status="closed"),
                name="open_by_agent",
            ),
            # routing.engagement: places taken in a queue.
            models.Index(
                fields=["queue"],
                condition=Q(status__in=["queued", "assigned"]),
                name="waiting_by_queue",
            ),
            # conversations.lifecycle.deadlines.past
            models.Index(
                fields=["deadline_at"],
                condition=Q(deadline_at__isnull=False),
                name="deadlines",
            ),
            # reporting: figures of closures in a period, by an index-only scan.
            models.Index(
                fields=["website", "closed_at"],
                include=[
                    *("id", "opened_at", "first_human_reply_at", "group", "queue", "rule", "style"),
                    *(
                        "language",
                        "last_holder",
                        "contact_count",
                        "changed_hands",
                        "is_begun_by_bot",
                    ),
                    *("payee", "payee_role", "open_response_seconds", "open_resolution_seconds"),
                    *("close_reason", "closed_by", "is_in_figures"),
                ],
                condition=Q(closed_at__isnull=False),
                name="closures_by_website",
            ),
            # messenger.mail.pending_mails: visitors to notify by e-mail.
            models.Index(
                fields=["notify_at"], condition=Q(notify_at__isnull=False), name="to_notify"
            ),
            # reporting: figures of openings in a period, by an index-only scan.
            models.Index(
                fields=["website", "opened_at"],
                include=[
                    *("id", "group", "queue", "rule", "style", "language", "last_holder"),
                    "is_in_figures",
                ],
                name="openings_by_website",
            ),
            # reporting.figures.sources.engaged: rule, style and language of a conversation.
            models.Index(fields=["id"], include=["rule", "style", "language"], name="engaged_with"),
            # The conversations that hold an inbox.
            models.Index(fields=["inbox"], condition=Q(inbox__isnull=False), name="by_inbox"),
            # desk.search: imported conversations by their number elsewhere.
            models.Index(
                fields=["imported_id"], condition=~Q(imported_from=""), name="by_imported_id"
            ),
            # messenger: the visitor's conversations, newest first.
            models.Index(fields=["visitor", "-opened_at"], name="by_visitor"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_imported(self) -> bool:
        return self.imported_from != ""

    @property
    def binding_skills(self) -> frozenset[int]:
        """The skills that an agent must have to get it now."""
        return frozenset() if self.are_skills_relaxed else frozenset(self.required_skills)

    @property
    def may_snooze(self) -> bool:
        """Whether it can be snoozed: asynchronous conversations and messaging only (C23)."""
        return self.is_asynchronous or self.channel == Channel.MESSAGING
