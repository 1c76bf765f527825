"""Log records of one line each, as text or as JSON, so that no collector has to join lines."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from typing import Any

from core import log_context, request_ids

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What would begin another line, move a terminal's cursor or turn the text around."""
VALUES = re.compile(
    r"^(DETAIL|CONTEXT):.*?(?=\n\nThe above exception|\n\nDuring handling|\nTraceback|\Z)",
    re.MULTILINE | re.DOTALL,
)
"""What follows in PostgreSQL's errors: values of a row, which somebody may have written."""
INPUT = re.compile(r'(invalid input (?:syntax|value) for [\w ]+): ".*?"(?=$|\n)', re.DOTALL)

FORMATS = {"line": "config.logs.OneLine", "json": "config.logs.JsonLine"}


class Formatter(logging.Formatter):
    """Times in UTC, and errors without the values of rows."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatException(self, ei: Any) -> str:
        return without_values(super().formatException(ei))


class OneLine(Formatter):
    r"""Process, time in UTC, level, logger, text, then the ids of request, user and conversation; a
    traceback's line breaks as \n."""

    def __init__(self) -> None:
        super().__init__("%(process_name)-7s %(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.process_name = process_name()
        line = CONTROL.sub(_escaped, without_values(super().format(record)))
        return line + "".join(f" [{name} {value}]" for name, value in ids_of(record).items())


class JsonLine(Formatter):
    """An object with ``time``, ``level``, ``logger``, ``process``, ``message`` and, where they are
    known, ``request``, ``user``, ``conversation`` and ``error``. ASCII, so that nothing in it
    begins another line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "process": process_name(),
            "message": without_values(record.getMessage()),
            **ids_of(record),
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def without_values(text: str) -> str:
    """Return a text without what PostgreSQL's errors say of the values of a row."""
    return INPUT.sub(r"\1: (not logged)", VALUES.sub(r"\1: (not logged)", text))


def process_name() -> str:
    """Return the name that the supervisor gave. Read each time: a forked process gets its name
    after the logs were set up."""
    return os.environ.get("PROCESS_NAME", "-")


def ids_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the ids that are known of a record's request, user and conversation."""
    context = log_context.current()
    request = getattr(record, "request", None) or context.request  # Django's records have one
    found = {
        "request": request_ids.current() or getattr(request, "request_id", ""),
        "user": context.user or _user_of(request),
        "conversation": context.conversation,
    }
    return {name: value for name, value in found.items() if value}


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _user_of(request: Any) -> int | None:
    """Return who sent the request, if that is known already: logging must not ask the database."""
    user_id: int | None = getattr(getattr(request, "_cached_user", None), "pk", None)
    return user_id or getattr(getattr(request, "api_token", None), "owner_id", None)


def configuration(level: str, form: str = "line") -> dict[str, Any]:
    """Return Django's ``LOGGING``: one line for each record of at least ``level``, to stderr, in
    one of ``FORMATS``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": FORMATS[form]}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would write each of its records a second time, and mail some.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            "daphne": {"level": "WARNING"},
            "mail.log": {"level": "WARNING"},  # aiosmtpd's: it would log who writes to whom
            "celery.app.trace": {"level": "WARNING"},  # it logs each tick of beat
            "celery.beat": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
        },
    }
