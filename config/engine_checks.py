"""Whether PostgreSQL and Valkey answer at all, before anything is started on them."""

from __future__ import annotations

import psycopg
import redis
from django.conf import settings

WAIT_SECONDS = 3


def problems() -> list[str]:
    """Return the engines that do not answer within seconds, with the reason; empty if all do."""
    faults = []
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=WAIT_SECONDS) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        faults.append(f"PostgreSQL does not answer: {_one_line(error)}")
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=WAIT_SECONDS, socket_connect_timeout=WAIT_SECONDS
        ) as connection:
            connection.ping()
    except (redis.RedisError, OSError) as error:
        faults.append(f"Valkey does not answer: {_one_line(error)}")
    return faults


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
