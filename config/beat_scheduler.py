"""Beat's schedule: database rows, checked every few seconds and not at each tick."""

from __future__ import annotations

import time
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from core.monitoring import heartbeats

LOOK_SECONDS = 5


class BeatScheduler(DatabaseScheduler):
    """The original asks the database at every turn of its loop whether the schedule has changed,
    which was most of beat's cost."""

    _looked_at = float("-inf")

    def schedule_changed(self) -> bool:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = time.monotonic()
        return bool(super().schedule_changed())

    def apply_async(self, *arguments: Any, **named: Any) -> Any:
        """Send a task, and show that beat works."""
        sent = super().apply_async(*arguments, **named)
        heartbeats.note(heartbeats.BEAT)
        return sent
