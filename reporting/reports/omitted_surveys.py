"""Closures without a survey, by reason (B11)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from conversations.models import Omission, SurveyOmission
from reporting.figures.measures import Source
from reporting.figures.scope import Scope

OMITTED = Source("omitted", SurveyOmission, "at", "conversation__", "agent", "group")


@dataclass(frozen=True, slots=True)
class Omitted:
    """How many closures of the period had no survey for one reason."""

    reason: str
    count: int


def omitted(scope: Scope) -> list[Omitted]:
    """Return the counts, the most frequent reason first. Runs one statement."""
    rows = scope.rows(OMITTED).values_list("reason").annotate(n=Count("pk")).order_by("-n")
    return [Omitted(str(Omission(reason).label), count) for reason, count in rows]
