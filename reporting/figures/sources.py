"""The tables of what happened, from which every figure comes: each with the moment that counts.

A conversation is put down to the last agent who had it on his desk: who holds it at the end is not
known where a snooze ended it, and who merely passed it on has not handled it. (``Contact`` and
``Survey`` say themselves whose they are.)

Years of each are read from one covering index: what a figure asks of a row besides stands in
``include`` of the model's ``Meta``, or a report of 12 months is dear (ADR 0027).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable

from conversations.lifecycle.transitions import Verb
from conversations.models import (
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
ENGAGED = ("rule", "style", "language")
ITS_OWN = {**ITS_OWN_WEBSITE, **{name: name for name in ENGAGED}}
SOUGHT = {name: f"engaged_{name}" for name in ENGAGED}


def of_groups(groups: Collection[int]) -> Q:
    """What was of one of the groups when it was stored: times of their members, refusals of rules
    that led to one of them."""
    return Q(groups__overlap=[*groups])


def engaged() -> dict[str, Combinable]:
    """With what the visitor was engaged, sought for each row: where it is joined, PostgreSQL reads
    all conversations that there are for the few rows of a period."""
    mine = Conversation.objects.filter(pk=OuterRef("conversation"))
    return {column: Subquery(mine.values(name)) for name, column in SOUGHT.items()}


def rules_to(groups: Collection[int]) -> QuerySet[RuleStep, int]:
    """The rules that lead to one of the groups."""
    return RuleStep.objects.filter(group__in=groups).order_by().values_list("rule", flat=True)


OPENED = Source("opened", Conversation, "opened_at", "", "last_holder", "group")
CLOSED = Source("closed", Conversation, "closed_at", "", "last_holder", "group")
PAID = Source("paid", Conversation, "closed_at", "", "payee", "group")
"""What was closed, put down to the agent who is credited with it (R66, C28)."""
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
"""What was suggested to agents and what became of it, once they had answered."""
REACHED = Source(
    name="reached",
    model=Contact,
    moment="started_at",
    path="conversation__",
    agent="agent",
    group="group",
    columns=ITS_OWN,
)
"""What reached a desk, put down to the agent whose desk it is."""
CONTACTS = replace(REACHED, name="contacts", moment="ended_at")


def events(*verbs: Verb) -> Source:
    """Lines of the ledger; put down to whoever did it, if an agent did."""
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
    columns={"rule": "", "style": "", "language": ""},
    of_groups=of_groups,
)
"""Times in a status, cut at the full hour: none lies on two days."""
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
    columns={"language": ""},
    of_groups=of_groups,
)
"""Who found no room, as numbers of an hour without any person: there is no conversation."""
