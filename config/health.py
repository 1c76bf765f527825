"""Health probes: is this process up, and do its engines answer?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic

import psycopg
import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

CACHE_SECONDS = 2.0

Answer = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: Answer) -> Answer:
    """Middleware that answers ``/healthz`` and ``/readyz`` before hosts and HTTPS are checked."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return _plain(200, "up")
        if request.path == "/readyz":
            faults = _checks.recent()
            # Everybody may ask. The reason names hosts and users, so only the log has it.
            named = (fault.partition(":")[0] for fault in faults)
            return _plain(503, "\n".join(named)) if faults else _plain(200, "ready")
        return get_response(request)

    return middleware


class Checks:
    """The last result of ``problems``, for ``CACHE_SECONDS``: anybody may ask for ``/readyz``, and
    each check costs a connection to each engine. Requests that come during a check wait for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._checked_at = -CACHE_SECONDS
        self._found: list[str] = []

    def recent(self) -> list[str]:
        with self._lock:
            if monotonic() - self._checked_at >= CACHE_SECONDS:
                self._found = problems()
                for fault in self._found:
                    logger.warning("not ready: %s", fault)
                self._checked_at = monotonic()
            return self._found


_checks = Checks()


def problems() -> list[str]:
    """Return the engines that do not answer within seconds, with the reason; empty if all do.

    Uses its own connections: a pool in use would tell more about the load than about the engine.
    """
    faults = []
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=3) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        faults.append(f"PostgreSQL does not answer: {_one_line(error)}")
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3
        ) as connection:
            connection.ping()
    except (redis.RedisError, OSError) as error:
        faults.append(f"Valkey does not answer: {_one_line(error)}")
    return faults


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _plain(status: int, text: str) -> HttpResponse:
    response = HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
