"""Whether a period can be compared with the one before it (docs/reports.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from accounts.models import Website
from conversations.models import Conversation
from reporting.figures.registry import Figure, Unit
from reporting.figures.scope import Scope

ADDS_UP = {Unit.COUNT, Unit.SUM, Unit.MONEY}
STILL_TO_COME = 0.1
"""The largest share of a period that may be left: on a day that has just begun, everything is less
than the day before."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``has_past``: the website had conversations before both periods. ``to_come``: the share of
    the period that has not passed yet."""

    has_past: bool
    to_come: float

    def holds_for(self, figure: Figure) -> bool:
        """Whether a figure can be compared. Sums and counts need two whole periods; a mean or a
        share needs only a past."""
        is_whole = self.to_come <= STILL_TO_COME
        return self.has_past and (is_whole or figure.unit not in ADDS_UP)


def of(scope: Scope) -> Comparison:
    """Return how the period of ``scope`` compares with the one before; computed once for each
    page."""
    comparison = scope.known.get("comparison")
    if comparison is None:
        comparison = scope.known["comparison"] = Comparison(_has_past(scope), to_come(scope))
    return comparison


def to_come(scope: Scope) -> float:
    """Return the share of the period that was still to come when it was requested, from 0 to 1."""
    if scope.asked_at is None:
        return 0.0
    start, end = scope.period.bounds(scope.zone)
    return min(max((end - scope.asked_at) / (end - start), 0.0), 1.0)


def _has_past(scope: Scope) -> bool:
    """Return whether the first conversation of any of the websites is older than both periods."""
    first = Conversation.objects.filter(website=OuterRef("pk"), is_in_figures=True)
    first = first.order_by("opened_at")
    websites = Website.objects.filter(pk__in=[website.pk for website in scope.websites])
    begun = websites.annotate(begun=Subquery(first.values("opened_at")[:1])).values_list("begun")
    firsts: list[datetime] = [at for (at,) in begun if at is not None]
    before, _end = scope.period.before.bounds(scope.zone)
    return bool(firsts) and min(firsts) < before
