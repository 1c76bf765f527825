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
    """The contacts that ended in the period: from reaching a desk to transfer, pause, release or
    closure (R84, C24).

    One conversation may have any number of contacts (R85), also with the same agent. What is still
    on a desk has not ended.
    """
    return count(CONTACTS)


@figure(report=STAFF, label=_("Conversations handled"))
def handled(scope: Scope) -> Measure:
    """The conversations closed in the period that had reached a desk.

    Each is put down to the last agent who had it, whoever closed it.
    """
    return count(CLOSED, HAS_CONTACTS)


@figure(report=STAFF, label=_("Handle time"), unit=Unit.SECONDS)
def handle_time(scope: Scope) -> Measure:
    """The median length of the contacts that ended in the period, from reaching the desk to
    leaving it.

    Several conversations are on a desk at the same time: the lengths overlap, and their sum may be
    more than the agent's day.
    """
    return time_between(CONTACTS, "started_at", "ended_at")


@figure(report=STAFF, label=_("Time on conversations"), unit=Unit.SECONDS)
def handle_total(scope: Scope) -> Measure:
    """The sum of the lengths of the contacts that ended in the period.

    Several at the same time count each in full.
    """
    worth = Seconds(F("ended_at"), F("started_at"))
    return Measure(CONTACTS, Fold.SUM, Q(ended_at__isnull=False), worth)


@figure(report=STAFF, label=_("Passed on"))
def passed_on(scope: Scope) -> Measure:
    """The contacts that ended in the period by a transfer to a group or a colleague (R199)."""
    return count(CONTACTS, Q(end_reason=EndReason.TRANSFERRED))


@figure(report=STAFF, label=_("Lost by the answer timer"), grows_better=False)
def lost_by_timer(scope: Scope) -> Measure:
    """The contacts that ended in the period because the agent did not answer in time (C25)."""
    return count(CONTACTS, Q(end_reason=EndReason.UNANSWERED))


@figure(report=STAFF, label=_("Conversations to pay"))
def paid(scope: Scope) -> Measure:
    """The conversations closed in the period that pay an expert: the one who closed it (R66).

    While a conversation is snoozed or solved nobody is paid (R67). Closed by the system, a bot or
    the visitor, it pays the last human who wrote, if that is an expert; closed by a manager it pays
    nobody (C28). Only experts are paid by the conversation: the role that counts is the one at the
    closure (C57).
    """
    return count(PAID, Q(payee_role=Role.EXPERT))
