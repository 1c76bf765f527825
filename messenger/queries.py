"""What a visitor sees of conversations. Nothing here crosses to another visitor."""

from __future__ import annotations

import uuid
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
from django.db.models.functions import Coalesce

from conversations.models import Conversation, Message, Survey, Visitor
from conversations.persons import browsers_of
from conversations.reading import seen_by_visitor
from conversations.transitions import Status

HISTORY = 50

# What ``seen_by_visitor`` reads of a conversation.
COLUMNS = (
    "public_id",
    "status",
    "is_asynchronous",
    "holder",
    "last_seq",
    "hidden_seq",
    "agent_read_seq",
    "visitor_read_seq",
    "survey",
    "opened_at",
    "closed_at",
    "place",
)


def conversations_of(visitor: Visitor, only: uuid.UUID | None = None) -> list[dict[str, Any]]:
    """The latest conversations of whoever is behind ``visitor`` (or that one ``only``), newest
    first, in one query. Without those that he has hidden, as long as nothing new is said (C13)."""
    mine = Conversation.objects.filter(visitor__in=browsers_of(visitor))
    rows = _with_columns(mine.filter(public_id=only) if only else mine)
    if visitor.hidden_at is not None:
        rows = rows.filter(last_seq__gt=F("hidden_seq"))
    return [seen_by_visitor(row) for row in rows.order_by("-opened_at").values(*COLUMNS)[:HISTORY]]


def conversation_of(conversation: Conversation) -> dict[str, Any]:
    """One conversation as its visitor sees it now."""
    rows = _with_columns(Conversation.objects.filter(pk=conversation.pk))
    return seen_by_visitor(rows.values(*COLUMNS).get())


def _with_columns(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
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
        survey=Exists(Survey.objects.filter(conversation=OuterRef("pk"), answered_at=None)),
        place=Case(When(status=Status.QUEUED, then=Coalesce(Subquery(before), 0) + 1)),
    )
