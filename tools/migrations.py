"""Find migrations that would stop people at work: ``python -m tools.migrations``.

A migration is applied while the processes of the former version serve. It must not hold a lock for
longer than an instant on a table that grows, and must leave the former version what it uses; what
takes something away belongs into a migration with ``after`` in its name. Migrations up to those in
``tools/migrations.json`` are released and excused; ``--record`` writes those of today. A new one
can excuse itself: ``excused = {"rule": "reason"}`` in its class.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.contrib.postgres import operations as postgres
from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from config import migration_phases

RELEASED = Path(__file__).with_suffix(".json")
OURS = ("core", "accounts", "conversations", "routing", "reporting", "messenger")
# Tables that grow with the people who write; all others are settings, with thousands of rows.
LARGE = frozenset(
    f"conversations.{name}"
    for name in (
        *("person", "visitor", "consent", "address", "conversation", "contact", "message"),
        *("event", "feedentry", "note", "draft", "survey", "surveyomission", "statusinterval"),
        *("seenpage", "attachment", "inboundemail", "articleuse", "unansweredquestion", "call"),
        *("mirrorlook", "lookpart", "cobrowsingsession", "cobrowsingact", "pastanswer"),
        *("suggestionoffer", "languagemodelcall", "webhookdelivery", "notice"),
    )
) | {
    *("core.outboxentry", "core.storedanswer", "accounts.change", "accounts.login"),
    *("accounts.failedlogin", "routing.botrun", "routing.programrun", "routing.hourlydemand"),
    *("reporting.transaction", "reporting.refund", "messenger.mail", "messenger.attempt"),
    "messenger.reply",
}
VOLATILE = re.compile(r"random|uuid|clock_timestamp|nextval|timeofday", re.I)
SQL_RULES = {
    "index": re.compile(r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)", re.I),
    "constraint": re.compile(r"ADD CONSTRAINT(?!.*(NOT VALID|USING INDEX))", re.I | re.S),
    "not null": re.compile(r"SET NOT NULL", re.I),
    "rewrite": re.compile(
        r"ALTER COLUMN \S+ (SET DATA )?TYPE|VACUUM FULL|CLUSTER\b", re.IGNORECASE
    ),
    "lock": re.compile(r"LOCK TABLE|REINDEX (?!.*CONCURRENTLY)", re.I),
    "taken away": re.compile(r"DROP (COLUMN|TABLE)|RENAME (COLUMN|TO)", re.I),
    "rows": re.compile(r"^\s*(UPDATE|DELETE FROM|INSERT INTO .*SELECT)\b", re.I | re.M | re.S),
}
ADVICE = {
    "index": "an index locks the table against writing while it is built: AddIndexConcurrently, "
    "with atomic = False",
    "constraint": "a constraint is checked against every row under a lock: AddConstraintNotValid, "
    "and ValidateConstraint in a migration after it",
    "not null": "every row is read under a lock: add a check NOT VALID, validate it, and then set "
    "NOT NULL",
    "rewrite": "the whole table is written anew under a lock: add a new column and fill it",
    "lock": "it locks the table for as long as it takes",
    "taken away": "the former version still uses it: move it to a migration with after in its name",
    "renamed": "one of both versions does not know the name: add the new one, copy, and drop the "
    "old one after the release",
    "insert": "the other version writes rows without this column: null=True or db_default",
    "rows": "rows are written in the transaction of the migration: RunPython in batches, with "
    "atomic = False",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with a migration, by the name of the rule."""

    migration: str
    rule: str
    where: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.where}: {self.rule}: {ADVICE[self.rule]}"


def main() -> int:
    django.setup()
    loader = MigrationLoader(None)
    if "--record" in sys.argv:
        RELEASED.write_text(json.dumps(newest(loader), indent=2) + "\n")
        return 0
    findings = list(check(loader, json.loads(RELEASED.read_text())))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def newest(loader: MigrationLoader) -> dict[str, str]:
    """Return the name of the last migration of each app."""
    return {app: max(name for label, name in loader.graph.nodes if label == app) for app in OURS}


def check(loader: MigrationLoader, released: dict[str, str]) -> Iterator[Finding]:
    """Yield what is wrong with the migrations after those."""
    new: set[str] = set()
    state = ProjectState()
    for key in loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True):
        migration = loader.graph.nodes[key]
        if key[0] in OURS and key[1] > released.get(key[0], ""):
            yield from of_migration(migration, state, new)
        state = migration.mutate_state(state, preserve=False)


def of_migration(migration: Migration, state: ProjectState, new: set[str]) -> Iterator[Finding]:
    """Yield what is wrong with one migration, applied to ``state``. Tables in ``new`` are empty;
    those that it makes are added."""
    excused = getattr(migration, "excused", {})
    state = state.clone()
    for operation in migration.operations:
        for rule, where in _of_operation(operation, migration, state, new):
            if rule not in excused:
                yield Finding(f"{migration.app_label}.{migration.name}", rule, where)
        operation.state_forwards(migration.app_label, state)


def _of_operation(
    operation: Any, migration: Migration, state: ProjectState, new: set[str]
) -> Iterator[tuple[str, str]]:
    app, is_after = migration.app_label, migration_phases.is_after(migration.name)
    if isinstance(operation, ops.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _of_operation(inner, migration, state, new)
    elif isinstance(operation, ops.CreateModel):
        new.add(f"{app}.{operation.name_lower}")
    elif isinstance(operation, ops.RunPython):
        if migration.atomic:
            yield "rows", "RunPython"
    elif isinstance(operation, ops.RunSQL):
        yield from _of_sql(operation, is_after=is_after)
    elif isinstance(operation, ops.RenameModel | ops.RenameField | ops.AlterModelTable):
        yield "renamed", operation.describe()
    elif isinstance(operation, ops.DeleteModel):
        if not is_after:
            yield "taken away", operation.name
    else:
        name = getattr(operation, "model_name", "").lower()
        table = f"{app}.{name}"
        if table not in new:
            for rule in _of_table(operation, state, (app, name), is_after=is_after):
                yield rule, f"{table}: {operation.describe()}"


def _of_table(
    operation: Any, state: ProjectState, model: tuple[str, str], *, is_after: bool
) -> Iterator[str]:
    """Yield the rules that a change of an existing table breaks."""
    is_large = ".".join(model) in LARGE
    if isinstance(operation, postgres.AddIndexConcurrently | postgres.AddConstraintNotValid):
        return
    if isinstance(operation, ops.AddField):
        yield from _of_new_field(operation.field, is_large=is_large)
    elif isinstance(operation, ops.RemoveField):
        field = state.models[model].fields[operation.name]
        if not is_after:
            yield "taken away"
        elif not _has_value(field):
            yield "insert"
    elif isinstance(operation, ops.AlterField):
        yield from _of_altered(
            state.models[model].fields[operation.name], operation.field, is_large=is_large
        )
    elif is_large and isinstance(operation, ops.AddIndex):
        yield "index"
    elif is_large and isinstance(operation, ops.AddConstraint):
        constraint: Any = operation.constraint  # type: ignore[attr-defined]
        yield "constraint" if isinstance(constraint, models.CheckConstraint) else "index"


def _has_value(field: Any) -> bool:
    """Return whether a row can be written by somebody who does not know the column."""
    return bool(field.null or field.has_db_default() or field.many_to_many)


def _of_new_field(field: Any, *, is_large: bool) -> Iterator[str]:
    if field.many_to_many:
        return
    if isinstance(field, models.GeneratedField):
        if is_large:
            yield "rewrite"
        return
    if not _has_value(field):
        yield "insert"
    if is_large:
        if field.has_db_default() and VOLATILE.search(repr(field.db_default)):
            yield "rewrite"
        if field.unique or field.db_index:
            yield "index"
        if field.remote_field and field.db_constraint:
            yield "constraint"


def _of_altered(before: Any, after: Any, *, is_large: bool) -> Iterator[str]:
    if not is_large:
        return
    if before.null and not after.null:
        yield "not null"
    if (after.unique, after.db_index) > (before.unique, before.db_index):
        yield "index"
    if type(before) is not type(after) or _is_narrower(before, after):
        yield "rewrite"


def _is_narrower(before: Any, after: Any) -> bool:
    """Return whether each value must be looked at, to see whether it fits."""
    longest: int | None = after.max_length
    return longest is not None and (before.max_length is None or longest < before.max_length)


def _of_sql(operation: ops.RunSQL, *, is_after: bool) -> Iterator[tuple[str, str]]:
    text = operation.sql if isinstance(operation.sql, str) else str(operation.sql)
    for rule, pattern in SQL_RULES.items():
        if (rule != "taken away" or not is_after) and pattern.search(text):
            yield rule, f"RunSQL {' '.join(text.split())[:60]}"


if __name__ == "__main__":
    sys.exit(main())
