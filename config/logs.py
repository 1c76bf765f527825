"""Log records of one line each, so that a log collector never has to join lines."""

from __future__ import annotations

import logging
import os
from typing import Any

from core import request_ids


class OneLine(logging.Formatter):
    r"""Process, time, level, logger, text, id of the request; a traceback's line breaks as \n."""

    def __init__(self) -> None:
        super().__init__("%(process_name)-7s %(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # Read each time: a forked process gets its name after the logs were set up.
        record.process_name = os.environ.get("PROCESS_NAME", "-")
        line = super().format(record).replace("\r", "\\r").replace("\n", "\\n")
        request_id = request_ids.current()
        return f"{line} [request {request_id}]" if request_id else line


def configuration(level: str) -> dict[str, Any]:
    """Return Django's ``LOGGING``: one line for each record of at least ``level``, to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "config.logs.OneLine"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            "daphne": {"level": "WARNING"},
            "mail.log": {"level": "WARNING"},  # aiosmtpd's: it would log who writes to whom
            "celery.app.trace": {"level": "WARNING"},  # it logs each tick of beat
            "celery.beat": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
        },
    }
