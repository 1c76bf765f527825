"""Conversations as a visitor sees them. Nothing here crosses to another visitor."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest

from accounts.models import Channel, open_at
from conversations.lifecycle.transitions import Status
from conversations.messages import reading
from conversations.models import Author, Conversation, Message, Survey, Visitor
from conversations.visitors.persons import browsers_of
from routing import wait_estimate
from routing.models import DeskPresence

HISTORY = 50

# The columns that ``seen_by_visitor`` reads.
COLUMNS = (
    "public_id",
    "status",
    "is_asynchronous",
    "holder",
    "moved_at",
    "last_agent_message_at",
    "is_connected",
    "is_closed",
    "hours_change_at",
    "last_seq",
    "hidden_seq",
    "agent_read_seq",
    "visitor_read_seq",
    "survey",
    "opened_at",
    "closed_at",
    "place",
    "group_id",
    "channel",
    "bot_name",
    "bot_picture",
)


def conversations_of(
    visitor: Visitor, only: uuid.UUID | None = None, *, at: datetime
) -> list[dict[str, Any]]:
    """Return the latest conversations of the person behind ``visitor`` (or ``only`` one).

    In one query: open ones first, those begun in this browser before others (C55), then the newest.
    Hidden ones are excluded until they get a new message (C13).
    """
    mine = Conversation.objects.filter(visitor__in=browsers_of(visitor))
    rows = _with_columns(mine.filter(public_id=only) if only else mine, at=at)
    if visitor.hidden_at is not None:
        rows = rows.filter(last_seq__gt=F("hidden_seq"))
    is_over = Case(When(status=Status.CLOSED, then=Value(1)), default=Value(0))
    is_elsewhere = Case(
        When(Q(visitor=visitor.pk) | Q(status=Status.CLOSED), then=Value(0)), default=Value(1)
    )
    latest = rows.annotate(unread=_unread()).order_by(is_over, is_elsewhere, "-opened_at")
    return [
        _shown(row, at=at) | {"unread": row["unread"]}
        for row in latest.values(*COLUMNS, "unread")[:HISTORY]
    ]


def _unread() -> Case:
    """Count the unread messages of others in an open conversation."""
    news = (
        Message.objects.filter(
            conversation=OuterRef("pk"),
            seq__gt=Greatest(OuterRef("visitor_read_seq"), OuterRef("hidden_seq")),
        )
        .exclude(author__in=[Author.VISITOR, Author.SYSTEM])
        .order_by()
        .values("conversation")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Case(
        When(status=Status.CLOSED, then=Value(0)),
        default=Coalesce(Subquery(news, output_field=IntegerField()), 0),
    )


def conversation_of(conversation: Conversation, *, at: datetime) -> dict[str, Any]:
    """Return one conversation as its visitor sees it now."""
    return _shown(reading.row_for_visitor(conversation.pk, at=at, presence=DeskPresence), at=at)


def _shown(row: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    shown = reading.seen_by_visitor(row, at=at)
    if row["place"] is not None:
        group, channel = row["group_id"], Channel(row["channel"])
        shown["within"] = wait_estimate.wait_of(group, channel, row["place"], at=at)
    return shown


def within(conversation: uuid.UUID, place: int, *, at: datetime) -> int | None:
    """Return the minutes within which a queued conversation is served (B4)."""
    queue = Conversation.objects.filter(public_id=conversation).values_list("group_id", "channel")
    group, channel = queue.get()
    return None if group is None else wait_estimate.wait_of(group, Channel(channel), place, at=at)


def _with_columns(conversations: QuerySet[Conversation], *, at: datetime) -> QuerySet[Conversation]:
    before = (
        Conversation.objects.filter(
            Q(queued_at__lt=OuterRef("queued_at"))
            | Q(queued_at=OuterRef("queued_at"), pk__lt=OuterRef("pk")),
            status=Status.QUEUED,
            group=OuterRef("group"),
            channel=OuterRef("channel"),
        )
        .order_by()
        .values("group")
        .annotate(n=Count("pk"))
        .values("n")
    )
    hidden = (
        Message.objects.filter(
            conversation=OuterRef("pk"), created_at__lte=OuterRef("visitor__hidden_at")
        )
        .order_by("-seq")
        .values("seq")[:1]
    )
    return conversations.annotate(
        hidden_seq=Case(
            When(visitor__hidden_at=None, then=Value(0)),
            default=Coalesce(Subquery(hidden), 0),
            output_field=IntegerField(),
        ),
        holder=F("agent__display_name"),
        is_connected=Coalesce(F("agent__presence__is_connected"), Value(False)),
        is_closed=Case(
            When(Q(status=Status.QUEUED) & ~open_at(at, "group__"), then=Value(True)),
            default=Value(False),
        ),
        hours_change_at=F("group__hours_change_at"),
        survey=Exists(Survey.objects.filter(conversation=OuterRef("pk"), answered_at=None)),
        place=Case(When(status=Status.QUEUED, then=Coalesce(Subquery(before), 0) + 1)),
    )
