"""Formatting of dates, times and durations, one way in each language (C79).

The formats of each language are in ``config/formats``; ``static/shared/moments.js`` writes the same
in live pages. Callers convert moments to the reader's time zone first.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

NO_BREAK = "\u00a0"


def clock(at: datetime) -> str:
    """Return the time: 14:05."""
    return str(date_format(at, "TIME_FORMAT"))


def day(on: date, *, today: date | None = None) -> str:
    """Return the day: 28 Nov, or 28 Nov 2025 in another year."""
    is_this_year = on.year == (today or timezone.localdate()).year
    return str(date_format(on, "MONTH_DAY_FORMAT" if is_this_year else "DATE_FORMAT"))


def long_day(on: date) -> str:
    """Return the day in full: Saturday 28 November."""
    return str(date_format(on, "l j F"))


def moment(at: datetime, *, now: datetime | None = None) -> str:
    """Return day and time for use in a sentence: 28 Nov, 14:05, with the year if it is another."""
    return f"{day(at.date(), today=_today(at, now))}, {clock(at)}"


def near_moment(at: datetime, *, now: datetime | None = None) -> str:
    """Return day and time as a label: today 14:05, yesterday 14:05, else 28 Nov, 14:05."""
    names = {0: _("today"), -1: _("yesterday"), 1: _("tomorrow")}
    name = names.get((at.date() - _today(at, now)).days)
    return f"{name} {clock(at)}" if name else moment(at, now=now)


def duration(length: timedelta) -> str:
    """Return a duration in its two largest units, without zeros: 45 s, 2 min 10 s, 3 d 4 h."""
    seconds = max(int(length.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return _parts((days, _("d")), (hours % 24, "h"))
    if hours:
        return _parts((hours, "h"), (minutes % 60, "min"))
    return _parts((minutes, "min"), (seconds % 60, "s")) or f"0{NO_BREAK}s"


def _parts(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number}{NO_BREAK}{unit}" for number, unit in parts if number)


def _today(at: datetime, now: datetime | None) -> date:
    return (now or timezone.now()).astimezone(at.tzinfo).date()
