"""The tables that every figure is computed from, each with the moment at which a row counts.

A conversation is attributed to the last agent who had it on their desk. The holder at the end is
unknown where a snooze ended it, and an agent who only passed it on has not handled it. (``Contact``
and ``Survey`` record their own agent.)

Each source is read for years at a time from one covering index. What a figure needs of a row
besides must be in ``include`` of the model's ``Meta``, or a report of 12 months is slow (ADR 0027).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable

from conversations.lifecycle.transitions import Verb
from conversations.models import (
    ArticleUse,
    Call,
    Contact,
    Conversation,
    Event,
    StatusInterval,
    SuggestionOffer,
    Survey,
)
from reporting.figures.measures import Source
from reporting.models import Refund, Transaction
from routing.models import HourlyDemand, RuleStep

ITS_OWN_WEBSITE = {"website": "website"}
WITHOUT_CONVERSATION = {"pk": "", "tag_marks__tag": ""}
"""The columns that a table lacks whose rows belong to no conversation, and so have no tag."""
ENGAGED = ("rule", "style", "language")
ITS_OWN = {**ITS_OWN_WEBSITE, **{name: name for name in ENGAGED}}
SOUGHT = {name: f"engaged_{name}" for name in ENGAGED}


def of_groups(groups: Collection[int]) -> Q:
    """Match what belonged to one of the groups when it was stored: intervals of their members,
    refusals of rules that led to one of them."""
    return Q(groups__overlap=[*groups])


def engaged() -> dict[str, Combinable]:
    """Return how the visitor was engaged, as a subquery for each row. With a join, PostgreSQL reads
    all conversations for the few rows of a period."""
    mine = Conversation.objects.filter(pk=OuterRef("conversation"))
    return {column: Subquery(mine.values(name)) for name, column in SOUGHT.items()}


def rules_to(groups: Collection[int]) -> QuerySet[RuleStep, int]:
    """Return the rules that lead to one of the groups."""
    return RuleStep.objects.filter(group__in=groups).order_by().values_list("rule", flat=True)


COUNTED = Q(is_in_figures=True)
"""Conversations imported from elsewhere count only if the import asked for it."""

OPENED = Source("opened", Conversation, "opened_at", "", "last_holder", "group", only=COUNTED)
CLOSED = Source("closed", Conversation, "closed_at", "", "last_holder", "group", only=COUNTED)
PAID = Source("paid", Conversation, "closed_at", "", "payee", "group", only=COUNTED)
"""Closed conversations, attributed to the agent who is credited with them (R66, C28)."""
OFFERED = Source(
    name="offered",
    model=Survey,
    moment="offered_at",
    path="conversation__",
    agent="agent",
    group="group",
    columns=ITS_OWN,
)
ANSWERED = replace(OFFERED, name="answered", moment="answered_at")
SUGGESTED = Source(
    name="suggested",
    model=SuggestionOffer,
    moment="decided_at",
    path="conversation__",
    agent="agent",
    group="group",
    only=~Q(outcome=""),
)
"""Suggestions shown to agents and their outcome, once the agents had answered."""
REACHED = Source(
    name="reached",
    model=Contact,
    moment="started_at",
    path="conversation__",
    agent="agent",
    group="group",
    columns=ITS_OWN,
)
"""Contacts that reached a desk, attributed to the agent of that desk."""
CONTACTS = replace(REACHED, name="contacts", moment="ended_at")


def events(*verbs: Verb) -> Source:
    """Build a source of ledger lines, each attributed to its actor if that is an agent."""
    return Source(
        name="_".join(verbs),
        model=Event,
        moment="at",
        path="conversation__",
        agent="actor_agent",
        group="group",
        only=Q(verb__in=[verb.value for verb in verbs]),
        columns={**ITS_OWN_WEBSITE, **SOUGHT},
        looked_up=engaged(),
    )


CALLS = Source(
    name="calls",
    model=Call,
    moment="rang_at",
    path="conversation__",
    agent="agent",
    group="conversation__group",
    only=Q(ended_at__isnull=False),
)
"""Calls that are over, in the period in which they began to ring."""
SALES = Source(
    name="sales",
    model=Transaction,
    moment="made_at",
    path="conversation__",
    agent="agent",
    group="group",
    only=Q(refunded_at=None),
    columns={**ITS_OWN, "currency": "currency"},
)
SPANS = Source(
    name="spans",
    model=StatusInterval,
    moment="started_at",
    path="",
    agent="agent",
    group="",
    only=Q(ended_at__isnull=False),
    columns={**WITHOUT_CONVERSATION, "rule": "", "style": "", "language": ""},
    of_groups=of_groups,
)
"""Intervals in a status, split at the full hour, so that none spans two days."""
ARTICLES_READ = Source(
    name="articles_read",
    model=ArticleUse,
    moment="began_at",
    path="",
    agent="",
    group="",
    only=Q(reads__gt=0),
    columns={
        **WITHOUT_CONVERSATION,
        "website": "article__website",
        "language": "article__language",
        **dict.fromkeys(("rule", "style"), ""),
    },
    of_groups=lambda _groups: Q(pk__in=[]),
)
"""Uses of articles, as anonymous numbers for each article and day. Articles belong to a website,
and to none of its groups."""
ARTICLES_ANSWERED = replace(ARTICLES_READ, name="articles_answered", only=Q(answers__gt=0))
REFUNDS = Source(
    name="refunds",
    model=Refund,
    moment="made_at",
    path="transaction__conversation__",
    agent="transaction__agent",
    group="transaction__group",
    columns={
        "website": "transaction__website",
        "currency": "transaction__currency",
        **{name: f"transaction__{name}" for name in ENGAGED},
    },
)
REFUSALS = Source(
    name="refusals",
    model=HourlyDemand,
    moment="hour",
    path="",
    agent="",
    group="",
    only=Q(messages_refused__gt=0),
    columns={**WITHOUT_CONVERSATION, "language": ""},
    of_groups=of_groups,
)
"""Visitors who found no room, as anonymous numbers per hour: there is no conversation."""
