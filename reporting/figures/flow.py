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
RECALLS = events(Verb.RECALL)

HAS_CONTACTS = Q(contact_count__gt=0)
ONE_AGENT = Case(
    When(changed_hands=True, then=Value(0.0)), default=Value(100.0), output_field=FloatField()
)
BEGUN_BY_BOT = Q(is_begun_by_bot=True)
NEXT_EVENT = Event.objects.filter(
    conversation=OuterRef("conversation"), pk__gt=OuterRef("pk")
).order_by("pk")
NEXT_ACTOR = Subquery(NEXT_EVENT.values("actor_kind")[:1])
NEXT_STATUS = Subquery(NEXT_EVENT.values("to_status")[:1])
HAS_ENDED = Q(IsNull(NEXT_ACTOR, False))


@figure(report=FLOW, label=_("Conversations opened"))
def opened(scope: Scope) -> Measure:
    """The conversations that began in the period: with the visitor's first message (R86).

    A conversation that comes back from a snooze or from "solved" does not begin anew. While it is
    open it is put down to the group and the agent that it has now; from its closure on it stands.
    """
    return count(OPENED)


@figure(report=FLOW, label=_("Engaged for humans"))
def engaged(scope: Scope) -> Measure:
    """The conversations that began in the period and that a queue has taken, at once or after a
    bot.

    One that stays with a bot to its end is opened, but not engaged for humans.
    """
    return count(OPENED, Q(queue__isnull=False))


@figure(report=FLOW, label=_("Refused for lack of room"), unit=Unit.SUM, grows_better=False)
def refused(scope: Scope) -> Measure:
    """The visitors who had written a first message in the period and found that no queue of their
    rule had room (R43).

    Counted once an hour for each visitor and rule, as a number without any person: the rows are
    hours, there is no conversation. Agents, groups and languages have none. Who oversees some
    groups of a website is told of the rules that lead to one of them.
    """
    return Measure(REFUSALS, Fold.SUM, EVERY, Cast("messages_refused", FloatField()))


@figure(report=FLOW, label=_("Conversations closed"))
def closed(scope: Scope) -> Measure:
    """The conversations that were closed in the period (R83); each counts once, on the day of its
    last closure (C30).

    "Solved" is not closed: the visitor may still come back to the same conversation.
    """
    return count(CLOSED)


@figure(report=FLOW, label=_("Reopenings"), grows_better=False)
def reopened(scope: Scope) -> Measure:
    """How often a conversation that was pending, on hold or solved came back, by the visitor's
    reply or by its agent.

    The same conversation may come back several times (R151) and then counts each time. A snooze
    that ends is not a reopening.
    """
    return count(REOPENINGS)


@figure(report=FLOW, label=_("Contacts for each conversation"), unit=Unit.MEAN)
def contacts_per_conversation(scope: Scope) -> Measure:
    """How many times, on average, a conversation that was closed in the period had reached a desk
    (R84, R85).

    One that a bot ended alone counts with no contact.
    """
    return Measure(CLOSED, Fold.MEAN, EVERY, Cast("contact_count", FloatField()))


@figure(report=FLOW, label=_("Handled by one agent"), unit=Unit.PERCENT, grows_better=True)
def one_agent(scope: Scope) -> Measure:
    """The share of the conversations closed in the period, among those that reached a desk, that
    the same agent had each time (R153).

    The gain for customers who come back to the agent who knows them; a conversation that reached a
    desk only once counts as well.
    """
    return Measure(CLOSED, Fold.MEAN, HAS_CONTACTS, ONE_AGENT)


@figure(report=FLOW, label=_("Transfers"))
def transfers(scope: Scope) -> Measure:
    """How often a conversation was handed to another group or to a colleague in the period (R199).

    Each hand-over counts. It is put down to whoever did it.
    """
    return count(TRANSFERS)


@figure(report=FLOW, label=_("Snoozes"))
def snoozes(scope: Scope) -> Measure:
    """How often a conversation was snoozed in the period (R100).

    Each snooze counts, also several of one conversation. It is put down to whoever snoozed.
    """
    return count(SNOOZES)


@figure(report=FLOW, label=_("Snoozes ended by a reply"), unit=Unit.PERCENT, grows_better=True)
def snoozes_replied(scope: Scope) -> Measure:
    """The share of the period's snoozes that the visitor's reply ended (R113), among those that
    have ended."""
    by_reply = Q(Exact(NEXT_ACTOR, Value(ActorKind.VISITOR.value)))
    return share(SNOOZES, by_reply, HAS_ENDED)


@figure(report=FLOW, label=_("Snoozes ended by closure"), unit=Unit.PERCENT)
def snoozes_closed(scope: Scope) -> Measure:
    """The share of the period's snoozes at whose end the conversation was closed (R123), among
    those that have ended.

    By the system, because the visitor had not replied and the agent had left automatic closing
    ticked.
    """
    by_closure = Q(Exact(NEXT_STATUS, Value(Status.CLOSED.value)))
    return share(SNOOZES, by_closure, HAS_ENDED)


@figure(report=FLOW, label=_("Expired assignments"), grows_better=False)
def expired(scope: Scope) -> Measure:
    """How often a conversation that was kept for an agent went back to its group because they had
    not handled it in time (R90), in the period."""
    return count(EXPIRIES)


@figure(report=FLOW, label=_("Releases"), grows_better=False)
def released(scope: Scope) -> Measure:
    """How often a conversation was released from the desk of an agent whose connection was lost,
    or from an assignment (R92), in the period."""
    return count(RELEASES)


@figure(report=FLOW, label=_("Pushes without an answer"), grows_better=False)
def recalled(scope: Scope) -> Measure:
    """How often an agent did not answer a conversation that was pushed to them before the answer
    timer of their group was over (C25), in the period."""
    return count(RECALLS)


@figure(report=FLOW, label=_("Wait"), unit=Unit.SECONDS, grows_better=False)
def wait(scope: Scope) -> Measure:
    """The median time from the moment at which a conversation began to wait to the one at which it
    reached a desk (R52), of all that reached one in the period.

    A conversation that waits twice counts twice. What was released, or not answered in time, waits
    anew, though it keeps its rank; an assignment that expires is part of one longer wait. Nights
    and weekends count.
    """
    return time_between(REACHED, "began_to_wait_at", "started_at")


@figure(report=FLOW, label=_("Wait, 9 of 10"), unit=Unit.SECONDS, grows_better=False)
def wait_p90(scope: Scope) -> Measure:
    """The 90th percentile of the same times as the wait: nine in ten reached a desk sooner."""
    return wait(scope).folded(Fold.P90)


@figure(report=FLOW, label=_("Bot containment"), unit=Unit.PERCENT)
def containment(scope: Scope) -> Measure:
    """The share of the conversations closed in the period, among those that a bot began, that
    never came to a queue of humans.

    Also those that a silent visitor left (R37): contained is not the same as solved.
    """
    return share(CLOSED, Q(queue__isnull=True), BEGUN_BY_BOT)
