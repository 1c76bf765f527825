"""Lengths of time counted only while a conversation's group is open (C29)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    DateTimeField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    IntegerField,
    Min,
    Q,
    Value,
    When,
)
from django.db.models.expressions import Combinable

from accounts.hours import Schedule, Span, open_spans
from accounts.models import Group
from accounts.models.hours import schedule_of
from reporting.figures.measures import Seconds
from reporting.figures.scope import Scope
from reporting.figures.sources import CLOSED

FLOATS: ArrayField[list[float], list[float]] = ArrayField(FloatField())


class Epoch(Func):
    """A moment as PostgreSQL counts it, in seconds."""

    template = "DATE_PART('epoch', %(expressions)s)"
    output_field = FloatField()


class Place(Func):
    """Which of the ascending thresholds a value has reached last: 1 is the first, 0 none. A search
    by halves, so that years of opening hours cost no more than weeks."""

    function = "WIDTH_BUCKET"
    output_field = IntegerField()


class Element(Func):
    """One element of an array; NULL where there is none."""

    template = "(%(expressions)s]"
    arg_joiner = ")["
    output_field = FloatField()


class Least(Func):
    function = "LEAST"
    output_field = FloatField()


class OrZero(Func):
    template = "COALESCE(%(expressions)s, 0)"
    output_field = FloatField()


def open_seconds(scope: Scope, start: F, end: F) -> Combinable:
    """From one moment of a conversation to another, in seconds, while its group was open; by the
    wall clock where the group is always open or there is none."""
    always = Seconds(end, start)
    whens = [
        When(group__in=groups, then=_open_until(end, spans) - _open_until(start, spans))
        for spans, groups in _opening(scope)
    ]
    return Case(*whens, default=always, output_field=FloatField()) if whens else always


Opening = list[tuple[tuple[Span, ...], list[int]]]


def _opening(scope: Scope) -> Opening:
    """When the groups of the scope that are not always open were open, and which groups that is
    said of. For all figures of a page and for all groups with the same hours once: to work out a
    year takes as long as a statement."""
    key = "opening"
    if key not in scope.known:
        scope.known[key] = _worked_out(scope)
    found: Opening = scope.known[key]
    return found


def _worked_out(scope: Scope) -> Opening:
    # Not of the bare column: PostgreSQL would look for its least value by walking up the index of
    # all that was ever opened, to the first one that was closed in the period.
    opened_at = ExpressionWrapper(F("opened_at") + timedelta(0), output_field=DateTimeField())
    earliest = scope.rows(CLOSED).aggregate(at=Min(opened_at))["at"]
    if earliest is None:
        return []
    latest = scope.period.bounds(scope.zone)[1] + timedelta(days=2)  # wherever the website is
    groups: dict[Schedule, list[int]] = defaultdict(list)
    for group in _with_hours(scope):
        groups[schedule_of(group)].append(group.pk)
    return [
        (tuple(open_spans(schedule, earliest, latest)), found) for schedule, found in groups.items()
    ]


def _with_hours(scope: Scope) -> Iterable[Group]:
    """The groups of the scope that are not always open."""
    has_hours = Q(opening_hours__isnull=False) | Q(website__holidays__isnull=False)
    return (
        Group.objects.filter(has_hours, website__in=scope.websites)
        .select_related("website")
        .prefetch_related("opening_hours", "holidays", "website__holidays")
        .distinct()
    )


def _open_until(moment: F, spans: tuple[Span, ...]) -> Combinable:
    """How many seconds it had been open at a moment, since before everything counted here."""
    starts, ends, offsets = [], [], []
    total = 0.0
    for opens, closes in spans:
        starts.append(opens.timestamp())
        ends.append(closes.timestamp())
        offsets.append(total - opens.timestamp())
        total += (closes - opens).total_seconds()
    at = Epoch(moment)
    place = Place(at, _floats(starts))
    return OrZero(Least(at, Element(_floats(ends), place)) + Element(_floats(offsets), place))


def _floats(values: list[float]) -> Func:
    return Func(Value(values, output_field=FLOATS), template="%(expressions)s::double precision[]")
