"""A form field for weekly opening hours as a grid: seven days, each with its intervals.

Each day has the inputs ``NAME-DAY-from`` and ``NAME-DAY-to`` for each interval, and an empty pair
to add one without JavaScript. An interval with two empty inputs is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import time
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.hours import Opening, overlaps
from accounts.models.hours import Weekday

Typed = dict[int, list[tuple[str, str]]]
# Always 24 hours: the browser's time input follows its own language, not that of the page.
CLOCK = re.compile(r"([01]?[0-9]|2[0-3])(?:[:.hH]?([0-5][0-9]))?(?:[hH]|:([0-5][0-9]))?")


class WeekWidget(forms.Widget):
    """The grid; ``accounts/week.js`` adds buttons to add, remove and copy."""

    class Media:
        js = [forms.Script("accounts/week.js", type="module")]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the typed intervals, or None if the form was sent without a grid."""
        if self.value_omitted_from_data(data, files, name):
            return None
        return {
            day: [
                (opens.strip(), closes.strip())
                for opens, closes in zip_longest(
                    _all(data, f"{name}-{day}-from"), _all(data, f"{name}-{day}-to"), fillvalue=""
                )
                if opens.strip() or closes.strip()
            ]
            for day in Weekday.values
        }

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(f"{name}-{day}-{end}" in data for day in Weekday.values for end in _ENDS)

    def id_for_label(self, id_: str) -> str:
        return ""  # each field has a label of its own

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        typed = value if isinstance(value, dict) else _typed(value or ())
        days = [
            {"number": day, "name": capfirst(Weekday(day).label), "intervals": typed[day]}
            for day in Weekday.values
        ]
        context = {
            "name": name,
            "days": days,
            "is_empty": not any(typed.values()),
            "pattern": CLOCK.pattern,
        }
        return render_to_string("admin/_week.html", context)


class WeekField(forms.Field):
    """Weekly opening hours in the form of ``Schedule.weekly``, without overlaps."""

    widget = WeekWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def to_python(self, value: Typed | None) -> tuple[Opening, ...] | None:
        if value is None:
            return None
        faults: list[str] = []
        week: list[Opening] = []
        for day, intervals in value.items():
            for opens, closes in intervals:
                try:
                    week.append((day, _time(day, opens, closes), _time(day, closes, opens)))
                except ValidationError as fault:
                    faults += fault.messages
        faults += [_overlap(one, other) for one, other in overlaps(week)]
        if faults:
            raise ValidationError(faults)
        return tuple(sorted(week))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            week = self.to_python(data)
        except ValidationError:
            return True
        return week is not None and week != tuple(initial or ())


_ENDS = ("from", "to")


def _all(data: Any, key: str) -> list[str]:
    if hasattr(data, "getlist"):
        return list(data.getlist(key))
    given = data.get(key, []) if isinstance(data, Mapping) else []
    return [given] if isinstance(given, str) else list(given)


def _typed(week: Sequence[Opening]) -> Typed:
    typed: Typed = {day: [] for day in Weekday.values}
    for day, opens, closes in week:
        typed[day].append((_written(opens), _written(closes)))
    return typed


def _written(wall: time) -> str:
    return f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"


def _time(day: int, text: str, other: str) -> time:
    """Parse one end of an interval; ``other`` is the other end, as typed."""
    name = capfirst(Weekday(day).label)
    if not text:
        message = _("%(day)s: the interval with %(time)s needs both a start and an end.")
        raise ValidationError(message % {"day": name, "time": other})
    match = CLOCK.fullmatch(text)
    if match is None:
        message = _("%(day)s: “%(text)s” is not a time. Write it as 09:00.")
        raise ValidationError(message % {"day": name, "text": text[:20]})
    hour, minute, second = (int(part or 0) for part in match.groups())
    return time(hour, minute, second)


def _overlap(one: Opening, other: Opening) -> str:
    """Return the error message for two intervals; ``other`` opens while ``one`` is open."""
    first, second = (
        f"{_written(opens)}–{_written(closes)}" for _day, opens, closes in (one, other)
    )
    day = capfirst(Weekday(other[0]).label)
    if one[0] == other[0]:
        message = _("%(day)s: the intervals %(one)s and %(other)s overlap.")
        return message % {"day": day, "one": first, "other": second}
    message = _("%(day)s: the interval %(other)s overlaps with %(one)s from %(day_before)s.")
    before = Weekday(one[0]).label
    return message % {"day": day, "one": first, "other": second, "day_before": before}
