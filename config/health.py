"""What a probe asks: is this process up, and do its engines answer?"""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: Answer) -> Answer:
    """A middleware: ``/healthz`` and ``/readyz``, before hosts and HTTPS are looked at."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return _plain(200, "up")
        if request.path == "/readyz":
            faults = problems()
            return _plain(503, "\n".join(faults)) if faults else _plain(200, "ready")
        return get_response(request)

    return middleware


def problems() -> list[str]:
    """The engines that do not answer within seconds, with the reason; none when all is well.

    It asks by connections of its own: a pool in use would say more of the load than of the engine.
    """
    faults = []
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=3) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        faults.append(f"PostgreSQL does not answer: {_line(error)}")
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3
        ) as connection:
            connection.ping()
    except (redis.RedisError, OSError) as error:
        faults.append(f"Valkey does not answer: {_line(error)}")
    return faults


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _plain(status: int, text: str) -> HttpResponse:
    response = HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
