"""Django's sessions in the database, with the limits of the user's role.

``expire_date`` is when the session ends if nothing more happens; every reader checks it, also the
plain SQL of the asynchronous entry points. The cookie lives until the latest possible end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

ENDS_AT = "ends_at"
"""When the session ends at the latest, in seconds since 1970."""

IDLE_SECONDS = "idle_seconds"
"""After how many seconds without activity it ends; 0 for never."""


class SessionStore(DatabaseStore):
    """A session that ends by the limits stored in it; without limits, by Django's settings."""

    def get_expiry_age(self, **kwargs: Any) -> int:
        if not self.get(ENDS_AT):
            return super().get_expiry_age(**kwargs)
        return max(0, int(self[ENDS_AT] - timezone.now().timestamp()))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        if not self.get(ENDS_AT):
            return super().get_expiry_date(**kwargs)
        return end_of(self[ENDS_AT], self.get(IDLE_SECONDS, 0), now=timezone.now())


def end_of(ends_at: int, idle_seconds: int, *, now: datetime) -> datetime:
    """Return when a session ends if nothing happens after ``now``."""
    latest = datetime.fromtimestamp(ends_at, tz=now.tzinfo)
    return min(latest, now + timedelta(seconds=idle_seconds)) if idle_seconds else latest
