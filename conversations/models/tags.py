"""Tags: why customers write, as a website's team names it, and on which conversations they are."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.models.choices import ActorKind
from conversations.models.conversations import Conversation


class TagColour(models.TextChoices):
    GREY = "grey", _("Grey")
    BLUE = "blue", _("Blue")
    GREEN = "green", _("Green")
    ORANGE = "orange", _("Orange")
    RED = "red", _("Red")


class Tag(models.Model):
    """A tag of a website. One that is on conversations is archived, never deleted: figures of the
    past name it."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, verbose_name=_("website"), related_name="tags"
    )
    name = models.CharField(_("name"), max_length=60)
    category = models.CharField(
        _("category"),
        max_length=60,
        blank=True,
        help_text=_("Tags of the same category are listed together, such as “Delivery”."),
    )
    colour = models.CharField(
        _("colour"), max_length=10, choices=TagColour.choices, default=TagColour.GREY
    )
    description = models.CharField(
        _("description"),
        max_length=200,
        blank=True,
        help_text=_("When to use it. Agents read it where they choose a tag."),
    )
    archived_at = models.DateTimeField(_("archived at"), null=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        editable=False,
        related_name="merged",
        verbose_name=_("merged into"),
        help_text="Its conversations have that tag since.",
    )

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("category", "name")
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "website",
                condition=Q(merged_into=None),
                name="tag_name_once",
            ),
            models.CheckConstraint(
                name="merged_tag_is_archived",
                condition=Q(merged_into=None) | Q(archived_at__isnull=False),
            ),
            models.CheckConstraint(
                name="tag_is_not_merged_into_itself",
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None


class ConversationTag(models.Model):
    """A tag on a conversation. Only ``conversations.reasons`` writes these rows."""

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="tag_marks",
        db_index=False,  # tag_once starts with it.
    )
    tag = models.ForeignKey(
        Tag,
        on_delete=models.PROTECT,
        related_name="marks",
        db_index=False,  # tagged_newest starts with it.
    )
    tagged_at = models.DateTimeField()

    class Meta:
        verbose_name = _("tag of a conversation")
        verbose_name_plural = _("tags of conversations")
        constraints = [
            # Also what reports read, without the table: the tags of the conversations of a period.
            models.UniqueConstraint(fields=["conversation", "tag"], name="tag_once"),
        ]
        indexes = [
            # desk.search and reports that are filtered by a tag: its conversations, newest first.
            models.Index(fields=["tag", "-conversation"], name="tagged_newest"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} · {self.tag_id}"


class ReasonEventKind(models.TextChoices):
    TAGGED = "tagged", _("Tagged")
    UNTAGGED = "untagged", _("Tag removed")
    MERGED = "merged", _("Tag merged")


class ReasonEvent(models.Model):
    """A line of the append-only record of why a customer wrote (docs/adr/0065).

    It is beside the ledger of states, whose last line says since when a conversation is in its
    state and which action can be undone: a tag changes neither. ``before`` and ``after`` are the
    names at that time.
    """

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="reason_events",
        db_index=False,  # reasons_in_order starts with it.
    )
    kind = models.CharField(_("event"), max_length=10, choices=ReasonEventKind.choices)
    at = models.DateTimeField(_("moment"))
    actor_kind = models.CharField(_("by"), max_length=8, choices=ActorKind.choices)
    actor_user_id = models.BigIntegerField(null=True)
    tag = models.ForeignKey(
        Tag, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    into = models.ForeignKey(
        Tag, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    before = models.TextField(_("before"), blank=True)
    after = models.TextField(_("after"), blank=True)

    class Meta:
        verbose_name = _("change of reasons")
        verbose_name_plural = _("changes of reasons")
        ordering = ("id",)
        indexes = [
            models.Index(fields=["conversation", "id"], name="reasons_in_order"),
        ]

    def __str__(self) -> str:
        return f"#{self.conversation_id} {self.kind} {self.at:%Y-%m-%d %H:%M:%S}"
