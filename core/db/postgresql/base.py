"""Django's PostgreSQL backend, whose pool never hands out a connection that the server has ended.

After a restart of PostgreSQL every idle connection of a pool is dead. Django could test each one by
a round trip when it is taken (``CONN_HEALTH_CHECKS``). But the server says goodbye before it goes,
and to look for that in the socket costs no round trip.
"""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend that ``settings.DATABASES`` names."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        pool: Any = getattr(self, "pool")  # noqa: B009 - unknown to Django's type stubs
        # At most all that were idle; then the pool has made a new one.
        for _attempt in range(pool.max_size if pool else 0):
            if not was_ended(connection):
                break
            connection.close()
            pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def was_ended(connection: psycopg.Connection[Any]) -> bool:
    """Return whether the server has ended an idle connection. It may also have sent a notice."""
    link = connection.pgconn
    waiting = select.poll()
    waiting.register(link.socket, select.POLLIN)
    try:
        # First come its last words, then the end of the stream.
        while link.status == ConnStatus.OK and waiting.poll(0):
            link.consume_input()
    except psycopg.OperationalError:
        return True
    return link.status != ConnStatus.OK
