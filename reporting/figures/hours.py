"""Lengths of time counted only while a conversation's group is open (C29)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
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

from accounts.hours import Schedule, open_spans
from accounts.models import Group
from accounts.models.hours import schedule_of
from reporting.figures.measures import EVERY, Fold, Measure, Seconds, Source
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


@dataclass(frozen=True, slots=True)
class Opening:
    """When the groups of a scope that are not always open were open.

    Each of ``lines`` are groups with the same hours; theirs of ``before`` and of ``runs`` begin
    behind that number. From each of the ascending ``moments`` to the next, a group is open or
    not: how long it had been open at a time between them, in seconds since before everything that
    is counted, is what ``before`` says there, and as much as the clock says where ``runs`` is 1."""

    moments: Func
    lines: list[tuple[int, list[int]]]
    before: Func
    runs: Func


def while_open(source: Source, scope: Scope, start: str, end: str, where: Q = EVERY) -> Measure:
    """The median of the seconds from one moment of a conversation to another while its group was
    open; by the wall clock where the group is always open or there is none."""
    wall = Seconds(F(end), F(start))
    opening = _opening(scope)
    if opening is None:
        return Measure(source, Fold.MEDIAN, where, wall)
    lines = [When(group__in=groups, then=Value(number)) for number, groups in opening.lines]
    once: dict[str, Combinable] = {"line": Case(*lines, output_field=IntegerField())}
    for moment in (start, end):
        once[f"clock_of_{moment}"] = clock = Epoch(F(moment))
        once[f"place_of_{moment}"] = Place(clock, opening.moments)
    counted = _open_until(end, opening) - _open_until(start, opening)
    worth = Case(When(line=None, then=wall), default=counted, output_field=FloatField())
    return Measure(source, Fold.MEDIAN, where, worth, once=once)


def _open_until(moment: str, opening: Opening) -> Combinable:
    """How many seconds it had been open at a moment, since before everything counted here."""
    here = F("line") + F(f"place_of_{moment}")
    before, runs = Element(opening.before, here), Element(opening.runs, here)
    return before + runs * F(f"clock_of_{moment}")


def _opening(scope: Scope) -> Opening | None:
    """For all figures of a page once: to work out a year takes as long as a statement."""
    key = "opening"
    if key not in scope.known:
        scope.known[key] = _worked_out(scope)
    found: Opening | None = scope.known[key]
    return found


def _worked_out(scope: Scope) -> Opening | None:
    # Not of the bare column: PostgreSQL would look for its least value by walking up the index of
    # all that was ever opened, to the first one that was closed in the period.
    opened_at = ExpressionWrapper(F("opened_at") + timedelta(0), output_field=DateTimeField())
    earliest = scope.rows(CLOSED).aggregate(at=Min(opened_at))["at"]
    groups: dict[Schedule, list[int]] = defaultdict(list)
    for group in _with_hours(scope):
        groups[schedule_of(group)].append(group.pk)
    if earliest is None or not groups:
        return None
    latest = scope.span.bounds(scope.zone)[1] + timedelta(days=2)  # wherever the website is
    spans = [
        [
            (opens.timestamp(), closes.timestamp())
            for opens, closes in open_spans(schedule, earliest, latest)
        ]
        for schedule in groups
    ]
    changes = {moment for line in spans for span in line for moment in span}
    moments = [-math.inf, *sorted(changes)]  # every time has reached one
    lines, before, runs = list[tuple[int, list[int]]](), list[float](), list[float]()
    for line, same in zip(spans, groups.values(), strict=True):
        lines.append((len(before), same))
        for at_each, found in zip((before, runs), _line(line, moments), strict=True):
            at_each.extend(found)
    return Opening(_floats(moments), lines, _floats(before), _floats(runs))


def _line(
    spans: list[tuple[float, float]], moments: list[float]
) -> tuple[list[float], list[float]]:
    """What ``Opening`` has of one kind of hours."""
    before, runs = [], []
    over, total = 0, 0.0
    for moment in moments:
        while over < len(spans) and spans[over][1] <= moment:
            total += spans[over][1] - spans[over][0]
            over += 1
        is_open = over < len(spans) and spans[over][0] <= moment
        before.append(total - spans[over][0] if is_open else total)
        runs.append(float(is_open))
    return before, runs


def _with_hours(scope: Scope) -> Iterable[Group]:
    """The groups of the scope that are not always open."""
    has_hours = Q(opening_hours__isnull=False) | Q(website__holidays__isnull=False)
    return (
        Group.objects.filter(has_hours, website__in=scope.websites)
        .select_related("website")
        .prefetch_related("opening_hours", "holidays", "website__holidays")
        .distinct()
    )


def _floats(values: list[float]) -> Func:
    """An array of numbers; as one text, for there are thousands, and Django looks at each twice."""
    text = "{" + ",".join(map(repr, values)) + "}"
    return Func(Value(text), template="%(expressions)s::double precision[]", output_field=FLOATS)
