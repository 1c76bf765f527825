"""What the former version can live with is applied before the new code, and the rest after it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from config import migration_phases, readiness
from config.migration_phases import Key, is_after, migrate, pending, split

APP = "conversations"


def keys(*names: str) -> list[Key]:
    return [(APP, name) for name in names]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("0061_after_the_old_names", True), ("0061_names_after_that", False), ("0061_new", False)],
)
def test_the_name_says_when(name: str, expected: bool) -> None:
    assert is_after(name) == expected


def test_what_depends_on_the_rest_belongs_to_it() -> None:
    parents = {"0062_after_names": ["0061_new"], "0063_more": ["0062_after_names"]}
    before, after = split(
        keys("0061_new", "0062_after_names", "0063_more", "0064_other"),
        lambda key: keys(*parents.get(key[1], [])),
    )
    assert before == keys("0061_new", "0064_other")
    assert after == keys("0062_after_names", "0063_more")


@pytest.mark.django_db
def test_nothing_is_pending_after_a_migration() -> None:
    assert pending() == ([], [])


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    called: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        migration_phases, "call_command", lambda *arguments, **_options: called.append(arguments)
    )
    return called


@pytest.mark.django_db
def test_only_the_last_of_each_app_is_named(
    commands: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [(APP, "0061_one"), ("routing", "0020_two"), (APP, "0062_three")]
    monkeypatch.setattr(migration_phases, "pending", lambda: (before, keys("0063_after_all")))
    migrate(only_before=True)
    assert commands == [("migrate", APP, "0062_three"), ("migrate", "routing", "0020_two")]
    commands.clear()
    migrate()
    assert commands == [("migrate",)]


@pytest.mark.django_db
def test_a_lock_that_somebody_holds_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def busy(*_arguments: Any, **_options: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError from psycopg.errors.LockNotAvailable()

    monkeypatch.setattr(migration_phases, "call_command", busy)
    monkeypatch.setattr(migration_phases, "PAUSE_SECONDS", 0)
    migrate()
    assert len(tries) == 3


@pytest.mark.django_db
def test_another_error_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_arguments: Any, **_options: Any) -> None:
        raise OperationalError from psycopg.errors.DiskFull()

    monkeypatch.setattr(migration_phases, "call_command", wrong)
    with pytest.raises(OperationalError):
        migrate()


@pytest.mark.django_db
def test_new_processes_need_what_comes_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_phases, "pending", lambda: (keys("0061_new"), []))
    with pytest.raises(CommandError, match="prepare --before"):
        call_command("restart")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "state"),
    [("9999_after_names", readiness.State.OK), ("9999_new", readiness.State.FAILED)],
)
def test_a_process_is_ready_without_the_rest(
    name: str, state: readiness.State, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = readiness.known_migrations() | {(APP, name)}
    monkeypatch.setattr(readiness, "known_migrations", lambda: known)
    monkeypatch.setattr(readiness, "_is_migrated", set())
    connection.ensure_connection()
    assert readiness._migrations(connection.connection).state == state
