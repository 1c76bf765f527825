"""The registry of all figures, used by the reports, the "?" beside a figure and docs/reports.md.

A figure is a function of a scope that returns a ``Measure``. Its docstring is its only definition:
the page shows the first sentence first, and a paragraph for each edge case follows. The docstring
is translated like any text (``tools/messages.py`` reads it).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, gettext_lazy

from reporting.figures.measures import Measure
from reporting.figures.scope import Scope

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Text = str | _StrPromise
else:
    Text = str


NUMBERS = re.compile(r"\s*\([RCB]\d+(, [RCB]\d+)*\)")


class Unit(StrEnum):
    """The unit of a figure."""

    COUNT = "count"
    SUM = "sum"
    PERCENT = "percent"
    POINTS = "points"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MEAN = "mean"
    MONEY = "money"


UNITS: dict[Unit, Text] = {
    Unit.COUNT: gettext_lazy("a number"),
    Unit.SUM: gettext_lazy("a sum"),
    Unit.PERCENT: gettext_lazy("percent"),
    Unit.POINTS: gettext_lazy("points, from -100 to 100"),
    Unit.SECONDS: gettext_lazy("a duration"),
    Unit.MILLISECONDS: gettext_lazy("milliseconds"),
    Unit.MEAN: gettext_lazy("a mean number"),
    Unit.MONEY: gettext_lazy("money"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``grows_better`` is False where less is better, None where neither is."""

    name: str
    report: str
    label: Text
    unit: Unit
    measure: Callable[[Scope], Measure]
    paragraphs: tuple[str, ...]
    grows_better: bool | None

    @property
    def definition(self) -> list[str]:
        """The paragraphs of the definition in the reader's language, without requirement
        numbers."""
        return [NUMBERS.sub("", gettext(paragraph)) for paragraph in self.paragraphs]

    @property
    def unit_name(self) -> Text:
        return UNITS[self.unit]


FIGURES: dict[str, Figure] = {}


def figure(
    *, report: str, label: Text, unit: Unit = Unit.COUNT, grows_better: bool | None = None
) -> Callable[[Callable[[Scope], Measure]], Callable[[Scope], Measure]]:
    """Register a function as a figure, under its own name."""

    def enter(function: Callable[[Scope], Measure]) -> Callable[[Scope], Measure]:
        name = function.__name__
        if name in FIGURES:
            raise ValueError(f"two figures are named {name}")
        FIGURES[name] = Figure(
            name=name,
            report=report,
            label=label,
            unit=unit,
            measure=function,
            paragraphs=paragraphs_of(function),
            grows_better=grows_better,
        )
        return function

    return enter


def paragraphs_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the docstring's paragraphs, each on one line. Raises ``ValueError`` if there is
    none."""
    text = inspect.cleandoc(function.__doc__ or "")
    if not text:
        raise ValueError(f"{function.__name__} has no definition")
    return tuple(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def of(report: str) -> list[Figure]:
    """Return the figures of one report, in the order of their definition."""
    return [figure for figure in FIGURES.values() if figure.report == report]
