"""Moments in words, for people who read them at ``at`` in their time zone."""

from __future__ import annotations

from datetime import datetime, tzinfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _


def clock(moment: datetime, at: datetime, zone: tzinfo) -> str:
    """ "9:00" today, else with its day."""
    local, now = moment.astimezone(zone), at.astimezone(zone)
    time = date_format(local, "H:i")
    if local.date() == now.date():
        return time
    return _("%(day)s, %(clock)s") % {"day": date_format(local, "l j F"), "clock": time}


def at_moment(moment: datetime, at: datetime, zone: tzinfo) -> str:
    """ "at 9:00" today, else "on Monday 5 March at 9:00"."""
    local, now = moment.astimezone(zone), at.astimezone(zone)
    time = date_format(local, "H:i")
    if local.date() == now.date():
        return _("at %(clock)s") % {"clock": time}
    day = date_format(local, "l j F")
    return _("on %(day)s at %(clock)s") % {"day": day, "clock": time}
