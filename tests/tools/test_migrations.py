"""Which migrations would stop people at work, and which would not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.postgres import operations as postgres
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now

from tools.migrations import ADVICE, LARGE, OURS, RELEASED, SQL_RULES, check, newest, of_migration

SIMPLE = models.Q(first__gt=0)


def state() -> ProjectState:
    """Return a large and a small table before the migration."""
    made = ProjectState()
    for app, name in (("conversations", "Message"), ("accounts", "Skill"), ("accounts", "User")):
        fields = [
            ("id", models.AutoField(primary_key=True)),
            ("first", models.IntegerField()),
            ("second", models.CharField(max_length=50, null=True)),
        ]
        ops.CreateModel(name, fields).state_forwards(app, made)
    return made


def rules(
    *operations: Operation,
    app: str = "conversations",
    name: str = "0999_new",
    atomic: bool = True,
    excused: dict[str, str] | None = None,
) -> list[str]:
    migration = Migration(name, app)
    migration.operations = list(operations)
    migration.atomic = atomic
    migration.excused = excused or {}  # type: ignore[attr-defined]
    return [finding.rule for finding in of_migration(migration, state(), set())]


def added(field: models.Field[Any, Any], model: str = "message") -> ops.AddField:
    return ops.AddField(model, "third", field)


def to_user(**options: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey("accounts.User", models.CASCADE, null=True, **options)


SAFE = [
    added(models.IntegerField(null=True)),
    added(models.IntegerField(db_default=0)),
    added(models.DateTimeField(db_default=Now())),
    added(to_user(db_index=False, db_constraint=False)),
    ops.AlterField("message", "second", models.CharField(max_length=80, null=True)),
    ops.AlterField("message", "first", models.IntegerField(null=True)),
    postgres.AddIndexConcurrently("message", models.Index(fields=["first"], name="i")),
    postgres.AddConstraintNotValid(
        "message", models.CheckConstraint(condition=SIMPLE, name="positive")
    ),
    postgres.ValidateConstraint("message", "positive"),
    ops.RemoveIndex("message", "gone"),
    ops.RunSQL("CREATE INDEX CONCURRENTLY i ON conversations_message (first)"),
    ops.RunSQL("ALTER TABLE t ADD CONSTRAINT c CHECK (first > 0) NOT VALID"),
    ops.RunSQL("CREATE TRIGGER t BEFORE UPDATE ON conversations_message ..."),
]
UNSAFE = [
    (added(models.IntegerField(default=0)), "insert"),
    (added(models.UUIDField(db_default=RandomUUID())), "rewrite"),
    (added(models.IntegerField(null=True, db_index=True)), "index"),
    (added(models.IntegerField(null=True, unique=True)), "index"),
    (added(to_user(db_constraint=False)), "index"),
    (added(to_user(db_index=False)), "constraint"),
    (
        added(
            models.GeneratedField(
                expression=models.F("first"), output_field=models.IntegerField(), db_persist=True
            )
        ),
        "rewrite",
    ),
    (ops.AlterField("message", "second", models.CharField(max_length=50)), "not null"),
    (ops.AlterField("message", "second", models.CharField(max_length=9, null=True)), "rewrite"),
    (ops.AlterField("message", "first", models.BigIntegerField()), "rewrite"),
    (ops.AlterField("message", "first", models.IntegerField(db_index=True)), "index"),
    (ops.AddIndex("message", models.Index(fields=["first"], name="i")), "index"),
    (
        ops.AddConstraint("message", models.CheckConstraint(condition=SIMPLE, name="positive")),
        "constraint",
    ),
    (
        ops.AddConstraint("message", models.UniqueConstraint(fields=["first"], name="one")),
        "index",
    ),
    (ops.RemoveField("message", "second"), "taken away"),
    (ops.DeleteModel("Message"), "taken away"),
    (ops.RenameField("message", "first", "number"), "renamed"),
    (ops.RenameModel("Message", "Word"), "renamed"),
    (ops.AlterModelTable("message", "words"), "renamed"),
    (ops.RunPython(ops.RunPython.noop), "rows"),
    (ops.RunSQL("create index i on conversations_message (first)"), "index"),
    (ops.RunSQL("ALTER TABLE t ADD CONSTRAINT c\n CHECK (first > 0)"), "constraint"),
    (ops.RunSQL("ALTER TABLE t ALTER COLUMN first SET NOT NULL"), "not null"),
    (ops.RunSQL("ALTER TABLE t ALTER COLUMN first TYPE bigint"), "rewrite"),
    (ops.RunSQL("LOCK TABLE t"), "lock"),
    (ops.RunSQL("ALTER TABLE t DROP COLUMN first"), "taken away"),
    (ops.RunSQL("UPDATE t SET first = 0"), "rows"),
]


def described(value: Any) -> str:
    return value.describe() if isinstance(value, Operation) else str(value)


@pytest.mark.parametrize("operation", SAFE, ids=described)
def test_people_notice_nothing(operation: Operation) -> None:
    assert rules(operation) == []


@pytest.mark.parametrize(("operation", "rule"), UNSAFE, ids=described)
def test_people_would_wait_or_meet_an_error(operation: Operation, rule: str) -> None:
    assert rules(operation) == [rule]
    assert rules(operation, excused={rule: "the table is empty"}) == []


def test_every_rule_is_tried_and_has_advice() -> None:
    assert {rule for _operation, rule in UNSAFE} == set(ADVICE) >= set(SQL_RULES)


def test_a_small_table_may_be_locked_for_an_instant() -> None:
    index = ops.AddIndex("skill", models.Index(fields=["first"], name="i"))
    assert rules(index, app="accounts") == []
    not_null = ops.AlterField("skill", "second", models.CharField(max_length=50))
    assert rules(not_null, app="accounts") == []
    # But both versions write it.
    assert rules(added(models.IntegerField(default=0), "skill"), app="accounts") == ["insert"]


def test_a_new_table_is_nobodys_yet() -> None:
    made = ops.CreateModel("Fresh", [("id", models.AutoField(primary_key=True))])
    index = ops.AddField("fresh", "first", models.IntegerField(default=0, db_index=True))
    assert rules(made, index) == []


def test_what_is_taken_away_goes_after_the_new_code() -> None:
    name = "0999_after_everything"
    assert rules(ops.RemoveField("message", "second"), name=name) == []
    assert rules(ops.DeleteModel("Message"), name=name) == []
    assert rules(ops.RunSQL("ALTER TABLE t DROP COLUMN first"), name=name) == []
    # Until then the new code writes rows without it.
    assert rules(ops.RemoveField("message", "first"), name=name) == ["insert"]


def test_rows_are_written_in_batches_outside_a_transaction() -> None:
    assert rules(ops.RunPython(ops.RunPython.noop), atomic=False) == []


def test_what_is_done_apart_from_the_state_counts_too() -> None:
    index = ops.AddIndex("message", models.Index(fields=["first"], name="i"))
    assert rules(ops.SeparateDatabaseAndState(database_operations=[index])) == ["index"]
    assert rules(ops.SeparateDatabaseAndState(state_operations=[index])) == []


def test_only_what_is_not_released_is_checked() -> None:
    loader = MigrationLoader(None)
    assert list(check(loader, newest(loader))) == []
    released = {**newest(loader), "conversations": "0043_places_of_an_address"}
    found = {finding.migration for finding in check(loader, released)}
    assert found
    assert all(one > "conversations.0043" for one in found)


def test_the_migrations_of_today_stop_nobody() -> None:
    loader = MigrationLoader(None)
    released = json.loads(RELEASED.read_text())
    assert set(released) == set(OURS)
    assert [str(finding) for finding in check(loader, released)] == []


def test_the_large_tables_exist() -> None:
    loader = MigrationLoader(None)
    known = {".".join(key) for key in loader.project_state(loader.graph.leaf_nodes()).models}
    assert known >= LARGE
