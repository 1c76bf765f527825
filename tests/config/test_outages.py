"""While PostgreSQL is away: reads are repeated, and the rest is told so, with what was typed."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.test import Client

from accounts.models import Role
from config import outages
from core.db import async_pool
from core.db.postgresql.base import DatabaseWrapper
from core.db.retry import is_unreachable
from core.storage import StorageAway
from tests.factories import UserFactory, WebsiteFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(role=Role.ADMIN, username="ada"))
    yield client
    connection.close()  # A request would end with it; the test's client leaves it open.


def cut() -> None:
    """End the connection of this thread, as a crash of PostgreSQL does."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with psycopg.connect(connection.connection.info.dsn) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@contextmanager
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No connection to PostgreSQL succeeds."""

    def refuse(*_arguments: Any) -> None:
        cause = psycopg.OperationalError("connection refused")
        raise OperationalError("connection refused") from cause

    with monkeypatch.context() as patch:
        connection.close()
        patch.setattr(DatabaseWrapper, "get_new_connection", refuse)
        yield


def test_a_page_whose_connection_was_cut_is_read_again(client: Client) -> None:
    cut()
    assert client.get("/account/").status_code == 200


def test_a_form_whose_connection_was_cut_is_not_sent_twice(client: Client) -> None:
    cut()
    response = client.post("/account/", {"comment": 'Ma <b>"Mirabelle"\nzwei', "password": "x"})
    assert response.status_code == 503
    assert response["Retry-After"] == "3"
    page = response.content.decode()
    assert "Ma &lt;b&gt;&quot;Mirabelle&quot;\nzwei" in page
    assert 'name="password"' not in page
    assert 'http-equiv="refresh"' not in page


def test_a_page_that_holds_nothing_typed_does_not_say_that_it_does() -> None:
    """Such as the answer to a form under which the database hangs: nobody has read the form."""
    _kind, page = outages.answer("/account/", "en", typed=[])
    assert b"This page keeps what you typed" not in page
    assert b"<form" not in page
    assert b"Go back" in page


def test_an_outage_is_reported_as_a_page_or_as_json(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = WebsiteFactory().key
    with away(monkeypatch):
        page = client.get("/account/", headers={"accept-language": "fr"})
        assert (page.status_code, page["Cache-Control"]) == (503, "no-store")
        assert "Cette page se recharge automatiquement" in page.content.decode()
        assert 'http-equiv="refresh" content="3"' in page.content.decode()
        problem = client.get("/api/v1/conversations/")
        assert (problem.status_code, problem["Content-Type"]) == (503, "application/problem+json")
        assert problem.json()["code"] == "unavailable"
        script = client.post(f"/messenger/{key}/ticket/", "{}", "application/json")
        assert (script.status_code, script.json()["error"]["code"]) == (503, "unavailable")
    assert client.get("/account/").status_code == 200


def test_a_fault_of_ours_is_still_a_500(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_named: Any) -> None:
        raise ValueError

    monkeypatch.setattr("accounts.logins.sessions.of_user", fail, raising=False)
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    assert client.get("/account/").status_code == 500


def test_a_full_disk_is_reported_in_the_format_of_each_client(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_named: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    page = client.post("/account/", {}, headers={"accept-language": "fr"})
    assert page.status_code == 507
    assert "Le disque du serveur est plein" in page.content.decode()
    program = client.get("/api/v1/conversations/")
    assert (program.status_code, program.json()["code"]) == (507, "no_space")


def test_a_storage_that_is_away_is_told_as_an_outage(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_named: Any) -> None:
        raise StorageAway("AccessDenied")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    page = client.post("/account/", {"comment": "what I typed"})
    assert (page.status_code, page["Retry-After"]) == (503, "3")
    assert "what I typed" in page.content.decode()
    program = client.get("/api/v1/conversations/")
    assert (program.status_code, program.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("state", "is_away"),
    [
        (psycopg.errors.AdminShutdown, True),
        (psycopg.errors.CannotConnectNow, True),
        (psycopg.errors.TooManyConnections, True),
        (psycopg.errors.ConnectionFailure, True),
        (psycopg.OperationalError, True),
        (psycopg.InterfaceError, True),
        (psycopg.errors.QueryCanceled, False),
        (psycopg.errors.DeadlockDetected, False),
        (psycopg.errors.UniqueViolation, False),
    ],
)
def test_only_failures_of_the_server_count_as_away(
    state: type[psycopg.Error], is_away: bool
) -> None:
    cause = state("said")
    error = OperationalError("said")
    error.__cause__ = cause
    assert is_unreachable(error) == is_unreachable(cause) == is_away


async def test_a_stopped_server_does_not_answer_the_probe() -> None:
    assert await async_pool.answers(5)
    postmaster = django_settings.VAR / "postgres/postmaster.pid"
    pid = int(postmaster.read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)  # It forks a process for each connection.
    try:
        assert not await async_pool.answers(0.2)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert await async_pool.answers(5)
