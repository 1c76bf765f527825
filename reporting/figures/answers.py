"""Figures computed: one statement for all that come from the same table, however they are cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import (
    DateField,
    DateTimeField,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from reporting.figures.measures import EVERY, Fold, Measure, Number, Source
from reporting.figures.period import Step, buckets
from reporting.figures.registry import Figure
from reporting.figures.scope import Scope

Key = Any
Bucket = date | datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A figure's value, and how many rows it was folded from. ``currency`` is that of money;
    money of several has no value (``is_mixed``)."""

    value: Number
    n: int
    currency: str = ""
    is_mixed: bool = False

    @classmethod
    def nothing(cls, measure: Measure) -> Answer:
        return cls(0 if measure.fold in {Fold.COUNT, Fold.SUM, Fold.MONEY} else None, 0)


Answers = dict[str, Answer]


class Local(Func):
    """A moment by the wall clock of its own website."""

    function = "TIMEZONE"
    output_field = DateTimeField()


class Truncated(Func):
    function = "DATE_TRUNC"
    output_field = DateTimeField()


class Part(Func):
    """``EXTRACT`` of a wall time."""

    template = "EXTRACT(%(part)s FROM %(expressions)s)::int"
    output_field = IntegerField()


def local(source: Source) -> Local:
    return Local(F(source.field("website__time_zone")), F(source.moment))


def bucket(source: Source, step: Step) -> Combinable:
    """As ``period.start_of``: a day by the website's wall clock; an hour as a moment, so that an
    hour that comes twice is two."""
    if step is Step.HOUR:
        zone = F(source.field("website__time_zone"))
        return Truncated(Value("hour"), F(source.moment), zone)
    return Cast(Truncated(Value(step.value), local(source)), DateField())


def by_field(name: str) -> Cut:
    """By a column of the conversation."""
    return Cut(lambda source: column(source.field(name)))


def column(name: str) -> Combinable:
    """NULL where rows of a table do not have it."""
    return F(name) if name else Value(None, output_field=IntegerField())


@dataclass(frozen=True, slots=True)
class Cut:
    """What figures are cut by: an expression for each source."""

    key: Any

    @classmethod
    def by_step(cls, step: Step) -> Cut:
        return cls(lambda source: bucket(source, step))


BY_AGENT = Cut(lambda source: source.whose())
BY_GROUP = Cut(lambda source: column(source.group))
BY_RULE = by_field("queue__rule")
BY_STYLE = by_field("style")
BY_LANGUAGE = by_field("language")
BY_CURRENCY = Cut(lambda source: column(source.columns.get("currency", "")))
BY_HOUR_OF_WEEK = Cut(
    lambda source: Part(local(source), part="ISODOW") * 24 + Part(local(source), part="HOUR") - 24
)


def total(figures: Iterable[Figure], scope: Scope) -> Answers:
    """Each figure over the whole scope."""
    found = cut(figures, scope, None)
    return found.get(None, {})


def trend(figures: Iterable[Figure], scope: Scope, step: Step) -> dict[Bucket, Answers]:
    """Each figure in each bucket of the period, in order; one where nothing happened is there."""
    figures = list(figures)
    found = cut(figures, scope, Cut.by_step(step))
    nothing = {one.name: Answer.nothing(one.measure(scope)) for one in figures}
    keys = sorted({*buckets(scope.period, step, scope.zone), *found})
    return {key: {**nothing, **found.get(key, {})} for key in keys}


def cut(figures: Iterable[Figure], scope: Scope, by: Cut | None) -> dict[Key, Answers]:
    """Each figure for each value of what it is cut by; all in one where it is cut by nothing."""
    figures = list(figures)
    measures = {one.name: one.measure(scope) for one in figures}
    by_source: dict[str, list[str]] = defaultdict(list)
    for name, measure in measures.items():
        by_source[measure.source.name].append(name)
    found: dict[Key, Answers] = defaultdict(
        lambda: {name: Answer.nothing(measure) for name, measure in measures.items()}
    )
    if by is None:
        found[None]
    for names in by_source.values():
        source = measures[names[0]].source
        rows = scope.rows(source).order_by()
        wheres = {measures[name].where for name in names}
        if len(wheres) == 1:  # asked of each row once, before anything else is
            rows = rows.filter(*wheres)
            measures |= {name: replace(measures[name], where=EVERY) for name in names}
        aggregates: dict[str, Any] = {}
        for name in names:
            aggregates[f"{name}_value"] = measures[name].aggregate()
            where, currency = measures[name].where, measures[name].currency
            if measures[name].fold is not Fold.COUNT:
                aggregates[f"{name}_n"] = measures[name].counted()
            if currency:
                aggregates[f"{name}_low"] = Min(currency, filter=where)
                aggregates[f"{name}_high"] = Max(currency, filter=where)
        if by is None:
            lines = [rows.aggregate(**aggregates)]
        else:
            lines = list(rows.values(cut_by=by.key(source)).annotate(**aggregates))
        for line in lines:
            answers = found[line.get("cut_by")]
            for name in names:
                answers[name] = _answer(name, line)
    return dict(found)


def _answer(name: str, line: dict[str, Any]) -> Answer:
    """What one line of a statement says of a figure."""
    value = line[f"{name}_value"]
    n = line.get(f"{name}_n", value)  # a count is its own
    low, high = line.get(f"{name}_low"), line.get(f"{name}_high")
    if low != high:
        return Answer(None, n, is_mixed=True)
    return Answer(value, n, currency=low or "")
