"""Bulk inserts and updates with cached SQL.

Plain SQL: each transition writes the same few columns of the same few tables. Having Django compose
those statements every time was half the cost of a push (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Field, Model

AT_ONCE = 20
"""The most rows inserted by cached SQL; for more, Django's own statement is as fast."""


def add(row: Model) -> None:
    """Insert a new row like ``save``, and set its primary key."""
    model = type(row)
    assert model._meta.pk is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f'{_insertion(model, 1)} RETURNING "{model._meta.pk.column}"',
            _values(row, _insertable(model)),
        )
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


def insert(rows: Sequence[Model]) -> None:
    """Insert rows like ``bulk_create``, without setting their primary keys."""
    if not rows:
        return
    model = type(rows[0])
    if len(rows) > AT_ONCE:
        model._default_manager.bulk_create(rows)
        return
    fields = _insertable(model)
    with connection.cursor() as cursor:
        cursor.execute(
            _insertion(model, len(rows)),
            [value for row in rows for value in _values(row, fields)],
        )


def copy(rows: Sequence[Model]) -> None:
    """Insert rows of one table by COPY, which takes a third of the time that statements take, for
    thousands of rows. It does not set their primary keys."""
    if not rows:
        return
    meta = type(rows[0])._meta
    assert meta.pk is not None
    is_numbered = rows[0].pk is None  # By the database.
    fields = [field for field in meta.concrete_fields if not (is_numbered and field.primary_key)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    # COPY goes past Django's cursor, so its errors would be psycopg's own.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        with cursor.copy(f'COPY "{meta.db_table}" ({columns}) FROM STDIN') as into:
            for row in rows:
                into.write_row(_values(row, fields))


@cache
def _insertion(model: type[Model], count: int) -> str:
    fields = _insertable(model)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    one = f"({', '.join(['%s'] * len(fields))})"
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES {", ".join([one] * count)}'


@cache
def _insertable(model: type[Model]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def update(changed: Sequence[Model], names: frozenset[str]) -> None:
    """Write the columns ``names`` (attribute names: ``agent_id``) of existing rows."""
    model = type(changed[0])
    fields = _fields(model, names)
    rows = [_values(row, fields) for row in changed]
    with connection.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(_update_one(model, names), rows[0])
        elif any(isinstance(field, ArrayField) for field in fields):
            # PostgreSQL would need arrays of equal length to unnest them.
            cursor.executemany(_update_one(model, names), rows)
        else:
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(_update_many(model, names), columns)


@cache
def _update_one(model: type[Model], names: frozenset[str]) -> str:
    *fields, key = _fields(model, names)
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    return f'UPDATE "{model._meta.db_table}" SET {columns} WHERE "{key.column}" = %s'


@cache
def _update_many(model: type[Model], names: frozenset[str]) -> str:
    *fields, key = _fields(model, names)
    columns = ", ".join(f'"{field.column}" = v."{field.column}"' for field in fields)
    # PostgreSQL cannot infer the types of arrays that only ``unnest`` reads.
    lists = ", ".join(f"%s::{field.db_type(connection)}[]" for field in [*fields, key])
    names_of = ", ".join(f'"{field.column}"' for field in [*fields, key])
    return (
        f'UPDATE "{model._meta.db_table}" t SET {columns} FROM unnest({lists}) v ({names_of})'
        f' WHERE t."{key.column}" = v."{key.column}"'
    )


@cache
def _fields(model: type[Model], names: frozenset[str]) -> list[Field[Any, Any]]:
    """Return the named fields, followed by the primary key."""
    named = [field for field in model._meta.concrete_fields if field.attname in names]
    assert len(named) == len(names), names
    assert model._meta.pk is not None
    return [*named, model._meta.pk]


def _values(row: Model, fields: Sequence[Field[Any, Any]]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
