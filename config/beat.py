"""Beat, made to end; read before Django is set up."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

from celery.apps.beat import Beat
from celery.beat import Service


class Stoppable(Beat):
    """The original writes the schedule from within the signal. Where the database has gone too, as
    when the machine stops, that raises where whatever was interrupted may take it for a fault of
    its own, goes on, and never ends. The service writes it anyway when it ends."""

    def install_sync_handler(self, service: Service) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit
