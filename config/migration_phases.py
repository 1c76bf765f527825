"""Migrations before and after the new code, so that a database serves two versions at once.

A release first applies what the version before it can live with, then replaces the processes, and
then applies the rest. What belongs to the rest has ``after`` in its name, such as
``0062_after_dropping_the_old_column``; ``tools/migrations.py`` checks that both are safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable

from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from core.db.retry import may_retry

Key = tuple[str, str]
"""App and name of a migration."""
TRIES = 30
PAUSE_SECONDS = 2.0


def is_after(name: str) -> bool:
    return name.partition("_")[2].startswith("after_")


def split(
    pending: Iterable[Key], parents: Callable[[Key], Collection[Key]]
) -> tuple[list[Key], list[Key]]:
    """Return which of the ``pending`` migrations, in their order, come before the new code and
    which after it. What depends on one of the latter is one of them."""
    before: list[Key] = []
    after: list[Key] = []
    for key in pending:
        held = is_after(key[1]) or any(parent in after for parent in parents(key))
        (after if held else before).append(key)
    return before, after


def pending() -> tuple[list[Key], list[Key]]:
    """Return what the database lacks: before the new code, and after it."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    plan = executor.migration_plan(graph.leaf_nodes())
    return split(
        [(migration.app_label, migration.name) for migration, _is_backwards in plan],
        lambda key: [parent.key for parent in graph.node_map[key].parents],
    )


def migrate(*, only_before: bool = False) -> None:
    """Apply everything, or only what comes before the new code.

    While others work, a migration may not get a lock within ``lock_timeout``. It gives up, so that
    nobody waits behind it, and is tried again.
    """
    if not only_before:
        _insist()
        return
    # Of each app only its last one: Django applies what comes before it.
    for app, name in dict(pending()[0]).items():
        _insist(app, name)


def _insist(*target: str) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            # Plain SQL: no request waits for this statement, however long it takes.
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 0")
            call_command("migrate", *target, interactive=False, verbosity=0)
            return
        except OperationalError as error:
            if attempt == TRIES or not may_retry(error):
                raise
        time.sleep(PAUSE_SECONDS)
