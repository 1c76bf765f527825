"""The figures of agents: what they handled, and how long it took."""

from __future__ import annotations

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from conversations.lifecycle.transitions import EndReason
from reporting.figures.flow import HAS_CONTACTS
from reporting.figures.measures import Fold, Measure, Seconds, count, time_between
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import CLOSED, CONTACTS, PAID

STAFF = "agents"


@figure(report=STAFF, label=_("Contacts"))
def contacts(scope: Scope) -> Measure:
    """The contacts that ended in the period, from reaching a desk to transfer, snooze, release or
    closure (R84, C24).

    One conversation can have any number of contacts (R85), even with the same agent. A contact
    still on a desk has not ended.
    """
    return count(CONTACTS)


@figure(report=STAFF, label=_("Conversations handled"))
def handled(scope: Scope) -> Measure:
    """The conversations closed in the period that had reached a desk.

    Each conversation is attributed to the last agent who had it, regardless of who closed it.
    """
    return count(CLOSED, HAS_CONTACTS)


@figure(report=STAFF, label=_("Handle time"), unit=Unit.SECONDS)
def handle_time(scope: Scope) -> Measure:
    """The median duration of the contacts that ended in the period, from reaching the desk to
    leaving it.

    Several conversations can be on a desk at the same time. Their durations overlap, so their sum
    can exceed the agent's working day.
    """
    return time_between(CONTACTS, "started_at", "ended_at")


@figure(report=STAFF, label=_("Time on conversations"), unit=Unit.SECONDS)
def handle_total(scope: Scope) -> Measure:
    """The total duration of the contacts that ended in the period.

    Each of several simultaneous contacts counts in full.
    """
    worth = Seconds(F("ended_at"), F("started_at"))
    return Measure(CONTACTS, Fold.SUM, Q(ended_at__isnull=False), worth)


@figure(report=STAFF, label=_("Transferred contacts"))
def passed_on(scope: Scope) -> Measure:
    """The contacts that ended in the period by a transfer to a group or a colleague (R199)."""
    return count(CONTACTS, Q(end_reason=EndReason.TRANSFERRED))


@figure(report=STAFF, label=_("Lost to the answer timer"), grows_better=False)
def lost_by_timer(scope: Scope) -> Measure:
    """The contacts that ended in the period because the agent did not answer in time (C25)."""
    return count(CONTACTS, Q(end_reason=EndReason.UNANSWERED))


@figure(report=STAFF, label=_("Conversations to pay"))
def paid(scope: Scope) -> Measure:
    """The conversations closed in the period that pay an expert, namely the one who closed it
    (R66).

    No one is paid while a conversation is snoozed or solved (R67). If the system, a bot or the
    visitor closes it, it pays the last human who wrote, if they are an expert. If a manager closes
    it, it pays no one (C28). Only experts are paid per conversation. The role at the closure counts
    (C57).
    """
    return count(PAID, Q(payee_role=Role.EXPERT))
