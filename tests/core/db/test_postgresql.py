"""A pool never hands out a connection that the server has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection

from core.db.postgresql.base import was_ended

pytestmark = pytest.mark.django_db(transaction=True)


def in_thread(work: Callable[[], Any]) -> Any:
    """Run it as a request would: with a connection from the pool, which goes back afterwards."""
    results = []

    def run() -> None:
        try:
            results.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end(*pids: int) -> None:
    with connection.cursor() as cursor:
        for pid in pids:
            # Waits until it is gone.
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            assert cursor.fetchone()[0]


def test_connections_that_the_server_ended_are_replaced_without_an_error() -> None:
    in_thread(backend)  # at least one is idle in the pool now
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
        idle = [pid for (pid,) in cursor.fetchall()]
    assert idle
    end(*idle)
    for _request in range(len(idle) + 1):
        assert in_thread(backend) not in idle


def test_a_notice_does_not_end_a_connection() -> None:
    connection.ensure_connection()
    link = connection.connection
    listening = psycopg.connect(**link.info.get_parameters(), autocommit=True)
    try:
        listening.execute("LISTEN here")
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY here")
        assert not was_ended(listening)
        assert listening.execute("SELECT 1").fetchone() == (1,)
        end(listening.info.backend_pid)
        assert was_ended(listening)
    finally:
        listening.close()
