"""Log records of one line each, so that a log collector never has to join lines."""

from __future__ import annotations

import logging
import os
import re
import time
from typing import Any

from core import request_ids

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What would begin another line, move a terminal's cursor or turn the text around."""


class OneLine(logging.Formatter):
    r"""Process, time in UTC, level, logger, text, id of the request, user; a traceback's line
    breaks as \n."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(process_name)-7s %(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        # Read each time: a forked process gets its name after the logs were set up.
        record.process_name = os.environ.get("PROCESS_NAME", "-")
        line = CONTROL.sub(_escaped, super().format(record))
        request = getattr(record, "request", None)  # Django's records about a request have it
        request_id = request_ids.current() or getattr(request, "request_id", "")
        user_id = _user_of(request)
        if request_id:
            line += f" [request {request_id}]"
        return f"{line} [user {user_id}]" if user_id else line


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _user_of(request: Any) -> int | None:
    """Return who sent the request, if that is known already: logging must not ask the database."""
    user_id: int | None = getattr(getattr(request, "_cached_user", None), "pk", None)
    return user_id or getattr(getattr(request, "api_token", None), "owner_id", None)


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
