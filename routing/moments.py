"""Moments as text, for readers at ``at`` in their time zone."""

from __future__ import annotations

from datetime import datetime, tzinfo

from django.utils.translation import gettext as _

from accounts import moments


def clock(moment: datetime, at: datetime, zone: tzinfo) -> str:
    """ "9:00" today, else with its day."""
    local, now = moment.astimezone(zone), at.astimezone(zone)
    time = moments.clock(local)
    if local.date() == now.date():
        return time
    return _("%(day)s, %(clock)s") % {"day": moments.long_day(local), "clock": time}


def at_moment(moment: datetime, at: datetime, zone: tzinfo) -> str:
    """ "at 9:00" today, else "on Monday 5 March at 9:00"."""
    local, now = moment.astimezone(zone), at.astimezone(zone)
    time = moments.clock(local)
    if local.date() == now.date():
        return _("at %(clock)s") % {"clock": time}
    day = moments.long_day(local)
    return _("on %(day)s at %(clock)s") % {"day": day, "clock": time}
