"""The figures of agents' time: connected, available, and with conversations."""

from __future__ import annotations

from django.db.models import Case, F, FloatField, Q, Value, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from reporting.figures.measures import EVERY, Fold, Measure, Seconds
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import SPANS
from reporting.figures.staff import STAFF

AVAILABLE = Q(is_available=True)
OPEN = Q(open_seconds__gt=0)
LENGTH = Seconds(F("ended_at"), F("started_at"))
WAS_AVAILABLE = Case(
    When(is_available=True, then=Value(100.0)), default=Value(0.0), output_field=FloatField()
)


@figure(report=STAFF, label=_("Time connected"), unit=Unit.SECONDS)
def connected_time(scope: Scope) -> Measure:
    """How long agents were connected in the period, on each channel on which they have slots.

    A lost connection counts until it is detected, 45 seconds later. The current interval counts
    from the next full hour. An agent of several websites counts for each of them and for all their
    groups. There are no separate values by group, rule, style or language. Managers of some groups
    of a website see the whole connected time of their members.
    """
    return Measure(SPANS, Fold.SUM, EVERY, LENGTH)


@figure(report=STAFF, label=_("Time available"), unit=Unit.SECONDS)
def available_time(scope: Scope) -> Measure:
    """How long connected agents were set to available.

    An agent whose slots are full counts as available, because they chose to be.
    """
    return Measure(SPANS, Fold.SUM, AVAILABLE, LENGTH)


@figure(report=STAFF, label=_("Availability"), unit=Unit.PERCENT, grows_better=True)
def availability(scope: Scope) -> Measure:
    """The share of connected time during which agents were available."""
    return weighted(EVERY, WAS_AVAILABLE, LENGTH)


@figure(report=STAFF, label=_("Occupancy"), unit=Unit.PERCENT)
def occupancy(scope: Scope) -> Measure:
    """The share of available time during which the agent had at least one conversation on the desk.

    Covers conversations of this website and channel; several at the same time count once. Near 100,
    no agent has time for the next visitor, and waits grow.
    """
    return weighted(AVAILABLE, F("busy_seconds") * Value(100.0) / LENGTH, LENGTH)


@figure(report=STAFF, label=_("Available in opening hours"), unit=Unit.PERCENT, grows_better=True)
def adherence(scope: Scope) -> Measure:
    """The share of time that agents were available, while they were connected and one of their
    groups was open.

    Uses the opening hours in force at the time. A group without opening hours is always open.
    """
    return weighted(OPEN, WAS_AVAILABLE, F("open_seconds"))


def weighted(where: Q, worth: Combinable, weight: Combinable) -> Measure:
    return Measure(SPANS, Fold.WEIGHTED, where, worth, weight=weight)
