"""Celery's beat, made stoppable; imported before Django is set up."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

from celery.apps.beat import Beat
from celery.beat import Service


class Stoppable(Beat):
    """Beat without its signal handler, which writes the schedule. If the database is down too, as
    when the machine shuts down, that handler raises inside whatever code was interrupted, which may
    swallow the error and go on, so that beat never ends. The service writes the schedule at its end
    anyway."""

    def install_sync_handler(self, service: Service) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit
