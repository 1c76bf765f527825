"""Computing figures: one statement for all that read the same table, however they are split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    DateTimeField,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    Min,
    Q,
    Value,
    When,
)
from django.db.models.expressions import Combinable

from accounts.clocks import Clock
from reporting.figures.measures import EVERY, Fold, Measure, Number, Source
from reporting.figures.period import Period, TrendUnit, buckets, hours_between, midnight, offsets
from reporting.figures.registry import Figure
from reporting.figures.scope import Scope
from reporting.figures.sources import rules_to

Key = Any
Bucket = date | datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A figure's value, and how many rows it was computed from. ``currency`` is that of money;
    money in several currencies has no value (``is_mixed``)."""

    value: Number
    n: int
    currency: str = ""
    is_mixed: bool = False

    @classmethod
    def nothing(cls, measure: Measure) -> Answer:
        return cls(0 if measure.fold in {Fold.COUNT, Fold.SUM, Fold.MONEY} else None, 0)


Answers = dict[str, Answer]


class Truncated(Func):
    function = "DATE_TRUNC"
    output_field = DateTimeField()


FLOATS: ArrayField[list[float], list[float]] = ArrayField(FloatField())


class Epoch(Func):
    """A moment as PostgreSQL's epoch, in seconds."""

    template = "DATE_PART('epoch', %(expressions)s)"
    output_field = FloatField()


class Element(Func):
    """One element of an array; NULL where there is none."""

    template = "(%(expressions)s]"
    arg_joiner = ")["
    output_field = FloatField()


class Place(Func):
    """The number of the last of some ascending moments before another; 1 is the first. This is a
    binary search: computing the local time of each row would take ten times as long."""

    function = "WIDTH_BUCKET"
    output_field = IntegerField()


class WeekHour(Func):
    """The hour of the week (Monday's first is 0) of a moment plus the local offset from UTC. The 72
    is there because 1 January 1970 was a Thursday."""

    template = "MOD(FLOOR((%(expressions)s) / 3600)::int + 72, 168)"
    arg_joiner = " + "
    output_field = IntegerField()


Moments = Sequence[datetime]
MOMENTS: ArrayField[Moments, Moments] = ArrayField(DateTimeField())


def place(source: Source, moments: Moments) -> Place:
    return Place(F(source.moment), Value(list(moments), output_field=MOMENTS))


def by_zone(source: Source, scope: Scope, key: Callable[[tzinfo], Combinable]) -> Combinable:
    """Build an expression that depends on the clock of each row's website."""
    websites: dict[tzinfo, list[int]] = defaultdict(list)
    for (_name, clock), ids in scope.clocks.items():
        websites[clock] += ids
    if len(websites) < 2:
        return key(scope.zone)
    name = f"{source.field('website')}__in"
    return Case(*(When(**{name: ids}, then=key(clock)) for clock, ids in websites.items()))


@dataclass(frozen=True, slots=True)
class Cut:
    """What figures are split by: an expression for each source, and how to read its values."""

    key: Callable[[Source, Scope], Combinable]
    read: Callable[[Any, Scope], Key] = lambda value, scope: value

    @classmethod
    def by_step(cls, step: TrendUnit) -> Cut:
        """Split by ``step``, as ``period.start_of``: days, weeks and months by each website's local
        time; hours by the first website's, as moments, so that an hour that occurs twice stays two.
        """
        if step is TrendUnit.HOUR:
            return cls(_hour)

        def number(source: Source, scope: Scope) -> Combinable:
            days = _days(scope.span, step)
            return by_zone(
                source, scope, lambda zone: place(source, [midnight(day, zone) for day in days])
            )

        return cls(number, lambda value, scope: _days(scope.span, step)[value - 1])


@lru_cache(maxsize=64)
def _days(period: Period, step: TrendUnit) -> list[date]:
    """Return the first days of a period's buckets, which are the same in every zone."""
    return [day for day in buckets(period, step, UTC) if not isinstance(day, datetime)]


def _hour(source: Source, scope: Scope) -> Combinable:
    clock, moment = scope.zone, F(source.moment)

    def hour(zone: ZoneInfo) -> Combinable:
        return Truncated(Value("hour"), moment, Value(zone.key))

    if isinstance(clock, ZoneInfo):
        return hour(clock)
    assert isinstance(clock, Clock)
    before = f"{source.moment}__lt"
    return Case(
        *(When(**{before: until}, then=hour(zone)) for until, zone in clock.past),
        default=hour(clock.now),
    )


def _hour_of_week(source: Source, scope: Scope) -> Combinable:
    def key(zone: tzinfo) -> Combinable:
        changes = offsets(scope.span, zone)
        ahead = Value([float(seconds) for _at, seconds in changes], output_field=FLOATS)
        now = Element(ahead, place(source, [at for at, _seconds in changes]))
        return WeekHour(Epoch(F(source.moment)), now)

    return by_zone(source, scope, key)


def by_field(name: str) -> Cut:
    """Split by a column of the conversation."""
    return Cut(lambda source, scope: column(source.field(name)))


def column(name: str) -> Combinable:
    """Return the column; NULL where the table does not have it."""
    return F(name) if name else Value(None, output_field=IntegerField())


def _rule(source: Source, scope: Scope) -> Combinable:
    """Return the rule; none where it leads to no group that the reader oversees, because the
    conversation came to their groups from another team."""
    name = source.field("rule")
    theirs = scope.overseen(source, lambda some: Q(**{f"{name}__in": rules_to(some)}))
    return Case(When(theirs, then=column(name))) if name and theirs else column(name)


BY_AGENT = Cut(lambda source, scope: source.whose())
BY_GROUP = Cut(lambda source, scope: column(source.group))
BY_RULE = Cut(_rule)
BY_STYLE = by_field("style")
BY_LANGUAGE = by_field("language")
# A row with several tags counts once for each; a conversation has each tag once (``tag_once``).
BY_TAG = by_field("tag_marks__tag")
BY_CURRENCY = Cut(lambda source, scope: column(source.columns.get("currency", "")))
BY_HOUR_OF_WEEK = Cut(_hour_of_week)


def total(figures: Iterable[Figure], scope: Scope) -> Answers:
    """Return each figure over the whole scope."""
    by_key = cut(figures, scope, None)
    return by_key.get(None, {})


def trend(figures: Iterable[Figure], scope: Scope, step: TrendUnit) -> dict[Bucket, Answers]:
    """Return each figure in each bucket of the period, in order, including empty buckets."""
    figures = list(figures)
    by_key = cut(figures, scope, Cut.by_step(step))
    nothing = {one.name: Answer.nothing(one.measure(scope)) for one in figures}
    keys = sorted({*_buckets(scope, step), *by_key})
    return {key: {**nothing, **by_key.get(key, {})} for key in keys}


def _buckets(scope: Scope, step: TrendUnit) -> Iterator[Bucket]:
    for name, zone in scope.clocks or [("UTC", ZoneInfo("UTC"))]:
        period = scope.days_of(name)
        if step is TrendUnit.HOUR:
            yield from hours_between(*period.bounds(zone), scope.zone)
        else:
            yield from buckets(period, step, zone)


def cut(figures: Iterable[Figure], scope: Scope, by: Cut | None) -> dict[Key, Answers]:
    """Return each figure for each value of the split; everything under ``None`` without one."""
    figures = list(figures)
    measures = {one.name: one.measure(scope) for one in figures}
    by_source: dict[str, list[str]] = defaultdict(list)
    for name, measure in measures.items():
        by_source[measure.source.name].append(name)
    by_key: dict[Key, Answers] = defaultdict(
        lambda: {name: Answer.nothing(measure) for name, measure in measures.items()}
    )
    if by is None:
        by_key[None]  # an entry even without any source
    for names in by_source.values():
        source = measures[names[0]].source
        rows = scope.rows(source).order_by()
        # ``Q`` objects that say the same are equal, so the set holds the different conditions.
        wheres = {measures[name].where for name in names}
        if len(wheres) == 1:  # one shared condition: filter the rows once, not in each aggregate
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
            lines = list(rows.values(cut_by=by.key(source, scope)).annotate(**aggregates))
        for line in lines:
            key = line.get("cut_by")
            answers = by_key[key if by is None or key is None else by.read(key, scope)]
            for name in names:
                answers[name] = _answer(name, line)
    return dict(by_key)


def _answer(name: str, line: dict[str, Any]) -> Answer:
    """Read a figure's answer from one line of a statement."""
    value = line[f"{name}_value"]
    n = line.get(f"{name}_n", value)  # a count is its own
    low, high = line.get(f"{name}_low"), line.get(f"{name}_high")
    if low != high:
        return Answer(None, n, is_mixed=True)
    return Answer(value, n, currency=low or "")
