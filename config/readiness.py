"""What ``/readyz`` checks: whether this process can serve, and whether all that helps it is there.

Without the database or with an older schema, no request can be served: the process is not ready.
Everything else degrades the service and is reported, but a balancer that took all processes away
for it would turn a late mail into an outage (docs/adr/0054).

Plain SQL: the checks use a connection of their own. A pool in use would tell more about the load
than about the engine.
"""

from __future__ import annotations

import pkgutil
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from config.migration_phases import is_after
from core.monitoring import heartbeats, valkey

BEAT_SECONDS = 30.0
"""Beat sends a task every three seconds."""
WORKER_SECONDS = 60.0
"""A task may take a minute."""
OUTBOX_SECONDS = 60.0
FREE_BYTES = 500 * 1024 * 1024
DATABASE_SECONDS = 3
STARTING_SECONDS = 60.0
"""Beat and workers need some seconds after everything has been started together."""

OLDEST = """
    SELECT extract(epoch FROM now() - min(due_at)) FROM conversations_outboxentry
    WHERE done_at IS NULL AND dead_at IS NULL
"""
APPLIED = "SELECT app, name FROM django_migrations"


_started_at = monotonic()


class State(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One result. ``detail`` is for the people who run the product: it may name hosts."""

    name: str
    state: State = State.OK
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All results, and when they were read."""

    checks: tuple[Check, ...]
    at: datetime

    @property
    def state(self) -> State:
        states = {check.state for check in self.checks}
        return next(
            (state for state in (State.FAILED, State.DEGRADED) if state in states), State.OK
        )

    def troubled(self) -> list[Check]:
        return [check for check in self.checks if check.state != State.OK]


def read() -> Report:
    """Run all checks; it takes a few seconds if an engine hangs."""
    checks = (*_database(), *_valkey(), judge_disk(free_bytes()))
    return Report(checks, datetime.now(UTC))


def _database() -> Iterator[Check]:
    try:
        with psycopg.connect(
            settings.DATABASE_URL,
            connect_timeout=DATABASE_SECONDS,
            options=f"-c statement_timeout={DATABASE_SECONDS}s",
            autocommit=True,
        ) as connection:
            connection.execute("SELECT 1")
            checks = [Check("database"), _migrations(connection), _outbox(connection)]
    except psycopg.Error as error:
        checks = [Check("database", State.FAILED, _one_line(error))]
    yield from checks


_is_migrated: set[str] = set()


def _migrations(connection: psycopg.Connection[Any]) -> Check:
    """Check whether the schema has all that this code needs. Once it has, it stays so."""
    if settings.DATABASE_URL not in _is_migrated:
        try:
            applied = set(connection.execute(APPLIED).fetchall())
        except psycopg.errors.UndefinedTable:
            applied = set()
        needed = {key for key in known_migrations() if not is_after(key[1])}
        if missing := sorted(needed - applied):
            named = ", ".join(".".join(each) for each in missing[:3])
            return Check("migrations", State.FAILED, f"{len(missing)} are missing: {named}")
        _is_migrated.add(settings.DATABASE_URL)
    return Check("migrations")


def known_migrations() -> set[tuple[str, str]]:
    """Return app and name of each migration, by the names of its file: importing all takes long."""
    known = set()
    for app in apps.get_app_configs():
        package, _is_explicit = MigrationLoader.migrations_module(app.label)
        try:
            paths = import_module(package or "").__path__
        except (ImportError, ValueError, AttributeError):
            continue  # an app without migrations
        known |= {
            (app.label, module.name)
            for module in pkgutil.iter_modules(paths)
            if not module.name.startswith(("_", "~"))
        }
    return known


def _outbox(connection: psycopg.Connection[Any]) -> Check:
    try:
        row = connection.execute(OLDEST).fetchone()
    except psycopg.errors.UndefinedTable:
        return Check("outbox")
    return judge_outbox(float(row[0]) if row and row[0] is not None else 0.0)


def judge_outbox(age: float) -> Check:
    """Judge the reactions that are owed, by how many seconds the oldest is overdue."""
    if age <= OUTBOX_SECONDS:
        return Check("outbox")
    return Check("outbox", State.DEGRADED, f"a reaction is overdue for {age:.0f} s")


def _valkey() -> Iterator[Check]:
    try:
        ages = heartbeats.ages()
    except valkey.UNREACHABLE as error:
        yield Check("valkey", State.DEGRADED, _one_line(error))
        return
    yield Check("valkey")
    if ages[heartbeats.BEAT] is None and monotonic() - _started_at < STARTING_SECONDS:
        return
    yield from judge_heartbeats(ages[heartbeats.BEAT], ages[heartbeats.WORKER])


def judge_heartbeats(beat: float | None, worker: float | None) -> tuple[Check, Check]:
    """Judge beat and the workers, by how many seconds ago they were at work. A worker has nothing
    to do while beat is silent, so it is measured from beat's last task."""
    if beat is None:
        silent = Check("beat", State.DEGRADED, "it has sent no task")
    elif beat > BEAT_SECONDS:
        silent = Check("beat", State.DEGRADED, f"it has sent no task for {beat:.0f} s")
    else:
        silent = Check("beat")
    if worker is None:
        return silent, Check("worker", State.DEGRADED, "none has finished a task")
    if worker - (beat or 0.0) > WORKER_SECONDS:
        return silent, Check(
            "worker", State.DEGRADED, f"none has finished a task for {worker:.0f} s"
        )
    return silent, Check("worker")


def free_bytes() -> int:
    """Return the room left for files: where they arrive, and where they are stored."""
    folders = [Path(settings.MEDIA_ROOT), Path(settings.FILE_UPLOAD_TEMP_DIR)]
    return min((shutil.disk_usage(each).free for each in folders if each.is_dir()), default=0)


def judge_disk(free: int) -> Check:
    """Judge the bytes that are free for files."""
    if free >= FREE_BYTES:
        return Check("disk")
    return Check("disk", State.DEGRADED, f"{free // 2**20} MiB are free for files")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
