"""The tables of what happened, from which every figure comes: each with the moment that counts.

A conversation is put down to the last agent who had it on his desk: who holds it at the end is not
known where a snooze ended it, and who merely passed it on has not handled it. (``Contact`` and
``Survey`` say themselves whose they are.)
"""

from __future__ import annotations

from django.db.models import Case, IntegerField, OuterRef, Q, Subquery, Value, When

from accounts.models import Agent, Role
from conversations.models import (
    ActorKind,
    Author,
    Contact,
    Conversation,
    Event,
    Message,
    StatusSpan,
    SuggestionOffer,
    Survey,
)
from conversations.transitions import Verb
from reporting.figures.measures import Source
from reporting.models import Refund, Transaction
from routing.models import HourlyDemand

LAST_HOLDER = Subquery(
    Contact.objects.filter(conversation=OuterRef("pk"))
    .order_by("-started_at", "-pk")
    .values("agent")[:1]
)
ACTOR = Subquery(Agent.objects.filter(user=OuterRef("actor_user_id")).values("pk")[:1])

OPENED = Source("opened", Conversation, "opened_at", "", LAST_HOLDER, "group")
CLOSED = Source("closed", Conversation, "closed_at", "", LAST_HOLDER, "group")
OFFERED = Source("offered", Survey, "offered_at", "conversation__", "agent", "group")
ANSWERED = Source("answered", Survey, "answered_at", "conversation__", "agent", "group")
SUGGESTED = Source(
    name="suggested",
    model=SuggestionOffer,
    moment="decided_at",
    path="conversation__",
    agent="agent",
    group="conversation__group",
    only=~Q(outcome=""),
)
"""What was suggested to agents and what became of it, once they had answered."""
CONTACTS = Source("contacts", Contact, "ended_at", "conversation__", "agent", "group")


def events(*verbs: Verb, agent: str | Subquery = ACTOR) -> Source:
    """Lines of the ledger; put down to whoever did it, if an agent did."""
    return Source(
        name="_".join(verbs),
        model=Event,
        moment="at",
        path="conversation__",
        agent=agent,
        group="group",
        only=Q(verb__in=[verb.value for verb in verbs]),
    )


REACHED = events(Verb.PUSH, Verb.TAKE, agent="agent")
"""What reached a desk, put down to the agent whose desk it is."""

_CLOSER = Event.objects.filter(conversation=OuterRef(OuterRef("pk")), verb=Verb.CLOSE)
_LAST_WORD = Message.objects.filter(
    conversation=OuterRef(OuterRef("pk")), author=Author.AGENT
).order_by("-seq")
_EXPERTS = Agent.objects.filter(user__role=Role.EXPERT)
PAID_EXPERT = Case(
    When(
        closed_by=ActorKind.AGENT,
        then=Subquery(_EXPERTS.filter(user__in=_CLOSER.values("actor_user_id")).values("pk")[:1]),
    ),
    When(
        closed_by__in=[ActorKind.SYSTEM, ActorKind.VISITOR, ActorKind.BOT],
        then=Subquery(
            _EXPERTS.filter(pk=Subquery(_LAST_WORD.values("agent")[:1])).values("pk")[:1]
        ),
    ),
    default=Value(None),
    output_field=IntegerField(),
)
"""The expert whom a closed conversation pays (R66, C28); NULL where it pays nobody."""

PAID = Source("paid", Conversation, "closed_at", "", PAID_EXPERT, "group")
SALES = Source(
    name="sales",
    model=Transaction,
    moment="made_at",
    path="conversation__",
    agent="agent",
    group="group",
    only=Q(refunded_at=None),
    columns={
        "website": "website",
        "website__time_zone": "website__time_zone",
        "currency": "currency",
    },
)
SPANS = Source(
    name="spans",
    model=StatusSpan,
    moment="started_at",
    path="",
    agent="agent",
    group="",
    only=Q(ended_at__isnull=False),
    columns={"queue__rule": "", "style": "", "language": ""},
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
        "website__time_zone": "transaction__website__time_zone",
        "currency": "transaction__currency",
    },
)
REFUSALS = Source(
    name="refusals",
    model=HourlyDemand,
    moment="hour",
    path="rule__",
    agent="",
    group="",
    only=Q(messages_refused__gt=0),
    columns={"queue__rule": "rule", "language": ""},
)
"""Who found no room, as numbers of an hour without any person: there is no conversation."""
