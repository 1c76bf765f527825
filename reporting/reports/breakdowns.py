"""Breakdowns by outcome: closures by reason and actor, ends of snoozes, suggestions."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Case, Count, Subquery, Value, When
from django.utils.translation import gettext_lazy as _

from conversations.lifecycle.transitions import Status
from conversations.models import ActorKind, CloseReason, SuggestionUse
from reporting.figures.flow import NEXT_EVENT, SNOOZES
from reporting.figures.registry import Text
from reporting.figures.scope import Scope
from reporting.figures.sources import CLOSED, SUGGESTED

SNOOZE_ENDS: dict[str, Text] = {
    "reply": _("The visitor replied"),
    "agent": _("Resumed by an agent"),
    "time": _("Snooze expired, back with the team"),
    "closed": _("Snooze expired, closed"),
    "sleeps": _("Still snoozed"),
}

HOW = Case(
    # First, because the system closes as well.
    When(to_status=Status.CLOSED, then=Value("closed")),
    When(actor_kind=ActorKind.VISITOR, then=Value("reply")),
    When(actor_kind=ActorKind.SYSTEM, then=Value("time")),
    default=Value("agent"),
)
"""How the event after a snooze ended it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole, and its share of it in per cent."""

    name: Text
    by: Text
    n: int
    share: float


def closures(scope: Scope) -> list[Part]:
    """Return the conversations closed in the period by reason and actor (C1), the most frequent
    first."""
    counts = (
        scope.rows(CLOSED)
        .order_by()
        .values_list("close_reason", "closed_by")
        .annotate(n=Count("pk"))
        .order_by("-n", "close_reason", "closed_by")
    )
    return _parts(
        [(CloseReason(why).label, ActorKind(actor_kind).label, n) for why, actor_kind, n in counts]
    )


def snooze_ends(scope: Scope) -> list[Part]:
    """Return the snoozes of the period by what ended them (C2)."""
    rows = scope.rows(SNOOZES).order_by().values(end=Subquery(NEXT_EVENT.values(how=HOW)[:1]))
    counts = dict(rows.annotate(n=Count("pk")).values_list("end", "n"))
    counts["sleeps"] = counts.pop(None, 0)
    return _parts([(name, "", counts.get(key, 0)) for key, name in SNOOZE_ENDS.items()])


def suggestions(scope: Scope) -> list[Part]:
    """Return the questions answered in the period for which replies were suggested, by what became
    of the suggestions (R185)."""
    rows = scope.rows(SUGGESTED).order_by().values("outcome").annotate(n=Count("pk"))
    counts = dict(rows.values_list("outcome", "n"))
    return _parts(
        [(SuggestionUse(one).label, "", counts.get(one, 0)) for one in SuggestionUse.values]
    )


def acceptance(parts: list[Part]) -> float | None:
    """Return the share of questions answered with a suggestion, edited or not, in per cent;
    ``None`` where nothing was suggested."""
    whole = sum(part.n for part in parts)
    ignored = sum(part.n for part in parts if part.name == SuggestionUse.IGNORED.label)
    return 100 * (whole - ignored) / whole if whole else None


def _parts(counts: list[tuple[Text, Text, int]]) -> list[Part]:
    whole = sum(n for _name, _by, n in counts)
    return [Part(name, by, n, 100 * n / whole if whole else 0.0) for name, by, n in counts]
