"""Make the ledger append-only: a trigger refuses to change or delete a line."""

from __future__ import annotations

from django.db import migrations

# Erasing a person (B13) deletes these lines too, and announces it in its transaction:
# SET LOCAL causerie.erasing = 'on'.
APPEND_ONLY = """
    CREATE FUNCTION conversations_event_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('causerie.erasing', true) = 'on' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the ledger is append-only: event % stands', OLD.id
            USING ERRCODE = 'restrict_violation';
    END
    $$;
    CREATE TRIGGER conversations_event_stands
        BEFORE UPDATE OR DELETE ON conversations_event
        FOR EACH ROW EXECUTE FUNCTION conversations_event_stands();
"""
CHANGEABLE = """
    DROP TRIGGER conversations_event_stands ON conversations_event;
    DROP FUNCTION conversations_event_stands();
"""

# A conversation's row changes with each message. Space left in its page keeps the new version
# there, without touching an index (a heap-only update).
ROOMY = "ALTER TABLE conversations_conversation SET (fillfactor = 80)"
PACKED = "ALTER TABLE conversations_conversation RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.RunSQL(ROOMY, PACKED),
    ]
