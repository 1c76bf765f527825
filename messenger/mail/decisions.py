"""When an e-mail is sent to a visitor: a pure function of plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

ON_SITE_PAUSE = timedelta(seconds=30)
"""How long until the next check whether a visitor has left the site."""

BATCH = 10
"""With this many unread messages, do not wait for the agent to finish."""


@dataclass(frozen=True, slots=True)
class MailDelays:
    """The delay after the agent's last message, and the minimum interval between e-mails."""

    delay: timedelta
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Unread:
    """What the visitor of a conversation has neither read nor been notified of."""

    count: int
    last_at: datetime | None
    is_on_site: bool
    last_mail_at: datetime | None


def next_look(unread: Unread, pace: MailDelays, *, at: datetime) -> datetime | None:
    """Return when to check again: ``None`` never (all read), ``at`` or earlier: send now (C10)."""
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
    """Return when to retry after so many failures; ``None`` after all retries, some 22 hours."""
    return at + RETRIES[failures - 1] if failures <= len(RETRIES) else None
