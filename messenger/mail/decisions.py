"""When a visitor is written to: a pure function of plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

ON_SITE_PAUSE = timedelta(seconds=30)
"""How long until we look again whether somebody has left the site."""

BATCH = 10
"""So many unread messages are told of without waiting for the agent to finish."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long after the agent's last message, and how long after the last mail at the least."""

    delay: timedelta
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Unread:
    """What the visitor of one conversation has not read and was not told of yet."""

    count: int
    last_at: datetime | None
    is_on_site: bool
    last_mail_at: datetime | None


def next_look(unread: Unread, pace: Pace, *, at: datetime) -> datetime | None:
    """When to look again: ``None`` never (all is read), ``at`` or earlier: write now (C10)."""
    if not unread.count or unread.last_at is None:
        return None
    moments = [at if unread.count >= BATCH else unread.last_at + pace.delay]
    if unread.last_mail_at is not None:
        moments.append(unread.last_mail_at + pace.interval)
    if unread.is_on_site:
        moments.append(at + ON_SITE_PAUSE)
    return max(moments)


RETRIES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720)]


def retry_at(failures: int, *, at: datetime) -> datetime | None:
    """When to try again after so many failures; ``None``: no more, some 22 hours have passed."""
    return at + RETRIES[failures - 1] if failures <= len(RETRIES) else None
