"""Beat: its schedule are rows of the database, looked at every few seconds and not at each tick."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import NoReturn

from celery.apps.beat import Beat
from celery.beat import Service
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


class Stoppable(Beat):
    """The original writes the schedule from within the signal. Where the database has gone too, as
    when the machine stops, that raises where whatever was interrupted may take it for a fault of
    its own, goes on, and never ends. The service writes it anyway when it ends."""

    def install_sync_handler(self, service: Service) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit
