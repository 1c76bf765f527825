"""The parts of a figure: which rows count, what each row is worth, and how the worth is folded.

Every figure is one ``Measure``. PostgreSQL folds the rows of a report; ``fold`` does the same in
Python for the rows that a list shows. A figure can be explained because both agree (B10), and a
test checks that for every figure.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.db.models import (
    Aggregate,
    Avg,
    Case,
    Count,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    IntegerField,
    Model,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf

Number = float | int | None
EVERY = Q()
"""No condition."""


class Fold(StrEnum):
    """How the worth of the rows becomes one number. Without rows, only a count and a sum have a
    value."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MEDIAN = "median"
    P90 = "p90"
    WEIGHTED = "weighted"
    """A mean in which rows count by their weight, as long intervals do in a share of time."""
    MONEY = "money"
    """A sum; amounts in different currencies have none."""


class Percentile(Aggregate):
    """PostgreSQL's exact percentile, interpolated between the two neighbours."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


class Seconds(Func):
    """The seconds from the second moment to the first: ``Seconds(end, start)``.

    Not ``EXTRACT``, which returns a decimal for each row and takes five times as long.
    """

    template = "DATE_PART('epoch', %(expressions)s)"
    arg_joiner = " - "
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Source:
    """A table of what happened. ``moment`` is the column that decides when a row counts; ``path``
    leads from the row to its conversation, ``agent`` and ``group`` to those it is attributed to.

    ``columns`` names the columns that are not on that path; empty means that the table has none.
    ``looked_up`` are columns outside the table, which a statement computes only if it uses them.
    ``of_groups`` selects, among rows without a group, those that belong to some groups of their
    website.
    """

    name: str
    model: type[Model]
    moment: str
    path: str
    agent: str | Combinable
    group: str
    only: Q = EVERY
    columns: Mapping[str, str] = field(default_factory=dict)
    looked_up: Mapping[str, Combinable] = field(default_factory=dict)
    of_groups: Callable[[Collection[int]], Q] | None = None

    def among(self, groups: Collection[int]) -> Q:
        """Match the rows that belong to some groups."""
        if self.of_groups is not None:
            return self.of_groups(groups)
        return Q(**{f"{self.group}__in": groups})

    def whose(self) -> Combinable:
        """Return the agent that a row is attributed to; NULL where there is none."""
        if not self.agent:
            return Value(None, output_field=IntegerField())
        return F(self.agent) if isinstance(self.agent, str) else self.agent

    def field(self, name: str) -> str:
        """Return the name of a column of the row's conversation."""
        return self.columns.get(name, f"{self.path}{name}")


@dataclass(frozen=True, slots=True)
class Measure:
    """``where`` selects the rows of the source that count; ``worth`` is the value of one row:
    seconds, points, or 0 and 100 for "no" and "yes" of a share. ``currency`` is the column with the
    currency, ``weight`` how much a row of a weighted mean counts."""

    source: Source
    fold: Fold
    where: Q = EVERY
    worth: Combinable | None = None
    currency: str = ""
    weight: Combinable | None = None

    def counted(self) -> Aggregate:
        """Count the rows that count."""
        return Count("pk", filter=self.where)

    def aggregate(self) -> Combinable:
        """Return the figure as PostgreSQL computes it over rows of the source."""
        if self.fold is Fold.COUNT or self.worth is None:
            return Count("pk", filter=self.where)
        if self.fold in {Fold.SUM, Fold.MONEY}:
            return Sum(self.worth, filter=self.where, default=0.0, output_field=FloatField())
        if self.weight is not None:
            parts = ExpressionWrapper(self.worth * self.weight, output_field=FloatField())
            whole = Sum(self.weight, filter=self.where, output_field=FloatField())
            weighed = Sum(parts, filter=self.where, output_field=FloatField())
            # Without any weight there is no share: NULL, not a division by zero.
            return weighed / NullIf(whole, Value(0.0))
        if self.fold is Fold.MEAN:
            return Avg(self.worth, filter=self.where, output_field=FloatField())
        share = 0.5 if self.fold is Fold.MEDIAN else 0.9
        return Percentile(self.worth, filter=self.where, share=share)

    def folded(self, fold: Fold) -> Measure:
        """Return the same rows folded in another way, such as the mean beside the median (C29)."""
        return replace(self, fold=fold)


def fold(
    how: Fold,
    worth: Sequence[float],
    currencies: Collection[str] = (),
    weights: Sequence[float] = (),
) -> Number:
    """Compute what ``Measure.aggregate`` computes, for rows that are already loaded."""
    if how is Fold.WEIGHTED:
        whole = math.fsum(weights)
        parts = math.fsum(a * b for a, b in zip(worth, weights, strict=True))
        return parts / whole if whole else None
    if how is Fold.MONEY and len(set(currencies)) > 1:
        return None
    if how is Fold.COUNT:
        return len(worth)
    if how in {Fold.SUM, Fold.MONEY}:
        return math.fsum(worth)
    if not worth:
        return None
    if how is Fold.MEAN:
        return math.fsum(worth) / len(worth)
    if how is Fold.MEDIAN:
        return float(statistics.median(worth))
    return _percentile(sorted(worth), 0.9)


def _percentile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def count(source: Source, where: Q = EVERY) -> Measure:
    """Return the number of rows."""
    return Measure(source, Fold.COUNT, where)


def share(source: Source, part: Q, where: Q = EVERY) -> Measure:
    """Return the share of the rows that match ``part``, in per cent."""
    return Measure(source, Fold.MEAN, where, _points((part, 100.0), otherwise=0.0))


def balance(source: Source, *, plus: Q, minus: Q, where: Q) -> Measure:
    """Return the share of some rows minus the share of others, in points from -100 to 100."""
    worth = _points((plus, 100.0), (minus, -100.0), otherwise=0.0)
    return Measure(source, Fold.MEAN, where, worth)


def time_between(source: Source, start: str, end: str, where: Q = EVERY) -> Measure:
    """Return the median of the seconds between two moments, over rows that have both."""
    both = Q(**{f"{start}__isnull": False, f"{end}__isnull": False})
    return Measure(source, Fold.MEDIAN, where & both, Seconds(F(end), F(start)))


def _points(*cases: tuple[Q, float], otherwise: float) -> Case:
    whens: list[Any] = [When(condition, then=Value(points)) for condition, points in cases]
    return Case(*whens, default=Value(otherwise), output_field=FloatField())
