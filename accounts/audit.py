"""The record of changes to settings, written by the database.

A trigger on each settings table inserts a ``Change`` in the transaction of the change, so no entry
point can forget it (docs/adr/0016-audit-by-triggers.md). Entry points only set the author.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, migrations, transaction

from accounts.models import User

RECORDER = """
CREATE OR REPLACE FUNCTION accounts_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
-- Arguments: model, its owner's model, the column that names the owner, columns that are not
-- settings, columns whose values are secret (both separated by commas).
DECLARE
    unseen text[] := string_to_array(TG_ARGV[3], ',');
    secret text[] := string_to_array(TG_ARGV[4], ',');
    before jsonb;
    after jsonb;
    whole jsonb;
    owner bigint;
    key text;
BEGIN
    IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD) - unseen; END IF;
    IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW) - unseen; END IF;
    whole := coalesce(after, before);
    IF TG_OP = 'UPDATE' THEN
        FOR key IN SELECT jsonb_object_keys(whole) LOOP
            IF before -> key IS NOT DISTINCT FROM after -> key THEN
                before := before - key;
                after := after - key;
            END IF;
        END LOOP;
        IF after = '{}' THEN RETURN NULL; END IF;
    END IF;
    FOREACH key IN ARRAY secret LOOP
        IF before ? key THEN before := before || jsonb_build_object(key, '•••'); END IF;
        IF after ? key THEN after := after || jsonb_build_object(key, '•••'); END IF;
    END LOOP;
    IF TG_ARGV[2] <> '' THEN owner := (whole ->> TG_ARGV[2])::bigint; END IF;
    INSERT INTO accounts_change
        (at, actor_id, actor, kind, model, object_id, name, owner_model, owner_id, before, after)
    VALUES (
        now(),
        nullif(current_setting('causerie.actor_id', true), '')::bigint,
        coalesce(current_setting('causerie.actor', true), ''),
        TG_OP,
        TG_ARGV[0],
        (to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> 'id')::bigint,
        coalesce(whole ->> 'name', whole ->> 'display_name', whole ->> 'username', ''),
        TG_ARGV[1], owner, before, after
    );
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION accounts_keep_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of changes is only ever added to'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER keep_changes BEFORE UPDATE OR DELETE ON accounts_change
    FOR EACH ROW EXECUTE FUNCTION accounts_keep_changes();
"""
UNDO_RECORDER = """
DROP TRIGGER keep_changes ON accounts_change;
DROP FUNCTION accounts_keep_changes();
DROP FUNCTION accounts_record_change() CASCADE;
"""


def recorded(
    model: str,
    *,
    owner: tuple[str, str] = ("", ""),
    unseen: Sequence[str] = (),
    secret: Sequence[str] = (),
) -> migrations.RunSQL:
    """Return a migration operation that starts recording every change to ``model``.

    ``model`` is ``<app>.<name>`` in lower case, also for the table of a many-to-many field.
    ``owner`` is the model it is a part of and the column that refers to it. ``unseen`` columns are
    no settings; the values of ``secret`` columns are masked.
    """
    table = model.replace(".", "_")
    arguments = (model, *owner, ",".join(unseen), ",".join(secret))
    quoted = ", ".join(f"'{argument}'" for argument in arguments)
    return migrations.RunSQL(
        f"CREATE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION accounts_record_change({quoted})",
        f"DROP TRIGGER record_change ON {table}",
    )


@contextmanager
def acting(user: User) -> Iterator[None]:
    """Open a transaction whose changes are recorded as made by ``user``. Outside of it they are
    recorded as made by the system."""
    with transaction.atomic():
        # An exception needs no care: the rollback also takes these settings back.
        before = _sign(str(user.pk), user.get_full_name() or user.username)
        yield
        _sign(*before)  # An outer transaction keeps its own author.


def _sign(actor_id: str, actor: str) -> tuple[str, str]:
    """Set the author for the rest of the transaction; return the previous one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('causerie.actor_id', true), ''),"
            " coalesce(current_setting('causerie.actor', true), '')"
        )
        before: tuple[str, str] = cursor.fetchone()
        cursor.execute(
            # ``true`` limits them to the transaction: the next one on this connection may be
            # anybody's.
            "SELECT set_config('causerie.actor_id', %s, true),"
            " set_config('causerie.actor', %s, true)",
            [actor_id, actor],
        )
    return before
