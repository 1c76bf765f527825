"""Beat's schedule: rows of the database, looked at every few seconds and not at each tick."""

from __future__ import annotations

import time

from django_celery_beat.schedulers import DatabaseScheduler

LOOK_SECONDS = 5


class Metronome(DatabaseScheduler):
    """The original asks the database at every turn of its loop whether somebody changed the
    schedule, which was most of what beat cost."""

    _looked_at = float("-inf")

    def schedule_changed(self) -> bool:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = time.monotonic()
        return bool(super().schedule_changed())
