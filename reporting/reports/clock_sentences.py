"""Sentences about the clocks that a report over several time zones follows."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext

from reporting.figures.period import TrendUnit
from reporting.figures.scope import Scope


def clocks(scope: Scope, step: TrendUnit | None = None) -> list[str]:
    """Say which clocks the days and hours of several zones follow, and where it is another day."""
    if len(scope.zones) < 2:
        return []
    sentences = [gettext("In each website’s time zone.")]
    if step is TrendUnit.HOUR:
        sentences = [
            gettext("Days in each website’s time zone; chart hours in %(zone)s.")
            % {"zone": _named(scope.zones[0])}
        ]
    by_days: dict[str, list[str]] = {}
    for zone, period in scope.own.items():
        days = _days(*(date_format(day) for day in (period.first, period.last)))
        by_days.setdefault(days, []).append(_named(zone))
    for days, zones in by_days.items():
        sentences.append(gettext("%(zone)s: %(days)s.") % {"zone": ", ".join(zones), "days": days})
    return sentences


def _days(first: str, last: str) -> str:
    if first == last:
        return first
    return gettext("%(first)s to %(last)s") % {"first": first, "last": last}


def _named(zone: str) -> str:
    return zone.replace("_", " ")
