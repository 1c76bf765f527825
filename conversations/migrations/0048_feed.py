"""Add the change feed. It begins with this migration; nothing is copied into it."""

import django.db.models.functions.datetime
from django.db import migrations, models

FILL = """
    CREATE SEQUENCE conversations_feed_base MINVALUE 0 START 0;
    SELECT setval('conversations_feed_base', 0);

    CREATE FUNCTION conversations_feed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        row_id bigint := NEW.id;
        place bigint := (SELECT last_value FROM conversations_feed_base)
            + pg_current_xact_id()::text::bigint;
        before bigint;
    BEGIN
        -- Its conversation is locked, so the entry before it is committed or of this transaction.
        SELECT position INTO before FROM conversations_feedentry
        WHERE conversation_id = NEW.conversation_id ORDER BY id DESC LIMIT 1;
        INSERT INTO conversations_feedentry (position, conversation_id, event_id, message_id)
        VALUES (
            greatest(place, before),
            NEW.conversation_id,
            CASE TG_ARGV[0] WHEN 'event' THEN row_id END,
            CASE TG_ARGV[0] WHEN 'message' THEN row_id END
        );
        RETURN NULL;
    END $$;

    CREATE TRIGGER feed AFTER INSERT ON conversations_event
        FOR EACH ROW EXECUTE FUNCTION conversations_feed('event');
    CREATE TRIGGER feed AFTER INSERT ON conversations_message
        FOR EACH ROW EXECUTE FUNCTION conversations_feed('message');
"""
UNDO = """
    DROP TRIGGER feed ON conversations_message;
    DROP TRIGGER feed ON conversations_event;
    DROP FUNCTION conversations_feed();
    DROP SEQUENCE conversations_feed_base;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0047_cobrowsing"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.BigIntegerField()),
                ("conversation_id", models.BigIntegerField()),
                ("event_id", models.BigIntegerField(null=True)),
                ("message_id", models.BigIntegerField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["position", "id"], name="feed_in_order"),
                    models.Index(fields=["conversation_id", "id"], name="feed_of_conversation"),
                    models.Index(fields=["created_at"], name="feed_by_age"),
                ],
            },
        ),
        migrations.RunSQL(FILL, UNDO),
    ]
