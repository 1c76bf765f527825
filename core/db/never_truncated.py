"""Tables of records that nobody empties, not even the product's own role.

Triggers on rows do not see TRUNCATE. So a trigger of its own refuses it, also as a part of TRUNCATE
... CASCADE of another table.
"""

from __future__ import annotations

from django.db import migrations

FUNCTION = """
CREATE FUNCTION core_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the records in % are never truncated', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""
UNDO_FUNCTION = "DROP FUNCTION core_refuse_truncate()"


def never_truncated(table: str) -> migrations.RunSQL:
    """Return a migration operation that refuses TRUNCATE of ``table``. It depends on
    ``core.0003_refuse_truncate``."""
    return migrations.RunSQL(
        f"CREATE TRIGGER never_truncated BEFORE TRUNCATE ON {table} "
        "EXECUTE FUNCTION core_refuse_truncate()",
        f"DROP TRIGGER never_truncated ON {table}",
    )
