"""Dates, times and lengths of time as the product writes them, one way in each language (C79).

The formats of the languages are in ``config/formats``; ``static/shared/moments.js`` writes the same
in pages that go on counting. Moments are given in the zone in which they are to be read.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

NO_BREAK = "\u00a0"


def clock(at: datetime) -> str:
    """14:05."""
    return str(date_format(at, "TIME_FORMAT"))


def day(on: date, *, today: date | None = None) -> str:
    """28 Nov; 28 Nov 2025 where it is not this year."""
    is_this_year = on.year == (today or timezone.localdate()).year
    return str(date_format(on, "MONTH_DAY_FORMAT" if is_this_year else "DATE_FORMAT"))


def long_day(on: date) -> str:
    """Saturday 28 November."""
    return str(date_format(on, "l j F"))


def moment(at: datetime, *, now: datetime | None = None) -> str:
    """28 Nov, 14:05; with its year where it is not this one: for a sentence."""
    return f"{day(at.date(), today=_today(at, now))}, {clock(at)}"


def near_moment(at: datetime, *, now: datetime | None = None) -> str:
    """today 14:05, yesterday 14:05, else 28 Nov, 14:05: for a label that stands alone."""
    names = {0: _("today"), -1: _("yesterday"), 1: _("tomorrow")}
    name = names.get((at.date() - _today(at, now)).days)
    return f"{name} {clock(at)}" if name else moment(at, now=now)


def duration(length: timedelta) -> str:
    """45 s, 2 min 10 s, 2 h 10 min, 3 d 4 h: the two largest units, without what is zero."""
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
