"""The figures of conversations: how many began and ended, how they moved and waited."""

from __future__ import annotations

from django.db.models import (
    Case,
    FloatField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.db.models.lookups import Exact, IsNull
from django.utils.translation import gettext_lazy as _

from conversations.lifecycle.transitions import Status, Verb
from conversations.models import ActorKind, Event
from reporting.figures.measures import EVERY, Fold, Measure, count, share, time_between
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import CLOSED, OPENED, REACHED, REFUSALS, events

FLOW = "conversations"

SNOOZES = events(Verb.SNOOZE)
TRANSFERS = events(Verb.TRANSFER_TO_GROUP, Verb.TRANSFER_TO_AGENT)
REOPENINGS = events(Verb.REOPEN, Verb.REOPEN_TO_GROUP)
EXPIRIES = events(Verb.EXPIRE)
RELEASES = events(Verb.RELEASE)
UNANSWERED = events(Verb.REQUEUE)

HAS_CONTACTS = Q(contact_count__gt=0)
ONE_AGENT = Case(
    When(changed_hands=True, then=Value(0.0)), default=Value(100.0), output_field=FloatField()
)
BEGUN_BY_BOT = Q(is_begun_by_bot=True)
# By id, not by moment: the lines of one transaction can have the same moment.
NEXT_EVENT = Event.objects.filter(
    conversation=OuterRef("conversation"), pk__gt=OuterRef("pk")
).order_by("pk")
NEXT_ACTOR = Subquery(NEXT_EVENT.values("actor_kind")[:1])
NEXT_STATUS = Subquery(NEXT_EVENT.values("to_status")[:1])
HAS_ENDED = Q(IsNull(NEXT_ACTOR, False))


@figure(report=FLOW, label=_("Conversations opened"))
def opened(scope: Scope) -> Measure:
    """The conversations started in the period, that is, with the visitor's first message in it
    (R86).

    A conversation that returns from a snooze or from "solved" is not a new one. While it is open,
    it counts for its current group and agent. Once it closes, this no longer changes.
    """
    return count(OPENED)


@figure(report=FLOW, label=_("Queued for agents"))
def engaged(scope: Scope) -> Measure:
    """The conversations started in the period that entered a queue, immediately or after a bot.

    A conversation that stays with a bot until its end counts as opened, but not as queued for
    agents.
    """
    return count(OPENED, Q(queue__isnull=False))


@figure(
    report=FLOW, label=_("Refused because the queue was full"), unit=Unit.SUM, grows_better=False
)
def refused(scope: Scope) -> Measure:
    """The visitors who wrote a first message in the period when no queue of their rule had room
    (R43).

    Counted once an hour for each visitor and rule, as a number without personal data. Each row is
    an hour, not a conversation. There are no values by agent, group or language. Managers of some
    groups of a website see the rules that lead to one of those groups.
    """
    return Measure(REFUSALS, Fold.SUM, EVERY, Cast("messages_refused", FloatField()))


@figure(report=FLOW, label=_("Conversations closed"))
def closed(scope: Scope) -> Measure:
    """The conversations closed in the period (R83). Each counts once, on the day of its last
    closure (C30).

    "Solved" does not mean closed: the visitor can still return to the same conversation.
    """
    return count(CLOSED)


@figure(report=FLOW, label=_("Reopenings"), grows_better=False)
def reopened(scope: Scope) -> Measure:
    """How often a conversation that was pending, on hold or solved came back because the visitor
    replied or its agent resumed it.

    The same conversation may come back several times (R151) and counts each time. The end of a
    snooze is not a reopening.
    """
    return count(REOPENINGS)


@figure(report=FLOW, label=_("Contacts per conversation"), unit=Unit.MEAN)
def contacts_per_conversation(scope: Scope) -> Measure:
    """How many times, on average, a conversation closed in the period reached a desk (R84, R85).

    A conversation that only a bot handled counts with no contacts.
    """
    return Measure(CLOSED, Fold.MEAN, EVERY, Cast("contact_count", FloatField()))


@figure(report=FLOW, label=_("Handled by one agent"), unit=Unit.PERCENT, grows_better=True)
def one_agent(scope: Scope) -> Measure:
    """The share of the conversations closed in the period that reached a desk and were handled by
    the same agent each time (R153).

    Shows how often customers stay with the agent who knows them. A conversation that reached a desk
    only once counts too.
    """
    return Measure(CLOSED, Fold.MEAN, HAS_CONTACTS, ONE_AGENT)


@figure(report=FLOW, label=_("Transfers"))
def transfers(scope: Scope) -> Measure:
    """How often a conversation was transferred to another group or to a colleague in the period
    (R199).

    Each transfer counts. It is attributed to the person who made it.
    """
    return count(TRANSFERS)


@figure(report=FLOW, label=_("Snoozes"))
def snoozes(scope: Scope) -> Measure:
    """How often a conversation was snoozed in the period (R100).

    Each snooze counts, even several in one conversation. It is attributed to the person who snoozed
    the conversation.
    """
    return count(SNOOZES)


@figure(report=FLOW, label=_("Snoozes ended by a reply"), unit=Unit.PERCENT, grows_better=True)
def snoozes_replied(scope: Scope) -> Measure:
    """The share of the period's ended snoozes that the visitor ended by replying (R113)."""
    by_reply = Q(Exact(NEXT_ACTOR, Value(ActorKind.VISITOR.value)))
    return share(SNOOZES, by_reply, HAS_ENDED)


@figure(report=FLOW, label=_("Snoozes ended by auto-close"), unit=Unit.PERCENT)
def snoozes_closed(scope: Scope) -> Measure:
    """The share of the period's ended snoozes that closed the conversation (R123).

    Closed by the system because the visitor did not reply and the agent had left auto-close
    selected.
    """
    by_closure = Q(Exact(NEXT_STATUS, Value(Status.CLOSED.value)))
    return share(SNOOZES, by_closure, HAS_ENDED)


@figure(report=FLOW, label=_("Expired assignments"), grows_better=False)
def expired(scope: Scope) -> Measure:
    """How often, in the period, a conversation assigned to an agent returned to its group because
    the agent did not handle it in time (R90).
    """
    return count(EXPIRIES)


@figure(report=FLOW, label=_("Releases"), grows_better=False)
def released(scope: Scope) -> Measure:
    """How often, in the period, a conversation was released from the desk of an agent whose
    connection was lost, or from an assignment (R92).
    """
    return count(RELEASES)


@figure(report=FLOW, label=_("Pushes without an answer"), grows_better=False)
def recalled(scope: Scope) -> Measure:
    """How often, in the period, an agent did not answer a pushed conversation before the answer
    timer of their group ended (C25).
    """
    return count(UNANSWERED)


@figure(report=FLOW, label=_("Wait"), unit=Unit.SECONDS, grows_better=False)
def wait(scope: Scope) -> Measure:
    """The median time from when a conversation started to wait until it reached a desk (R52), for
    all conversations that reached one in the period.

    A conversation that waits twice counts twice. One that was released or not answered in time
    waits again, although it keeps its rank. An expired assignment is part of one longer wait.
    Nights and weekends count.
    """
    return time_between(REACHED, "began_to_wait_at", "started_at")


@figure(report=FLOW, label=_("Wait, 90th percentile"), unit=Unit.SECONDS, grows_better=False)
def wait_p90(scope: Scope) -> Measure:
    """The 90th percentile of the times that make up the wait: nine in ten conversations reached a
    desk sooner.
    """
    return wait(scope).folded(Fold.P90)


@figure(report=FLOW, label=_("Bot containment"), unit=Unit.PERCENT)
def containment(scope: Scope) -> Measure:
    """The share of the conversations closed in the period that a bot started and that never entered
    a queue of humans.

    Includes conversations left by a silent visitor (R37). Contained does not mean solved.
    """
    return share(CLOSED, Q(queue__isnull=True), BEGUN_BY_BOT)
