"""Mark imported conversations, and keep what was had elsewhere out of the change feed.

A session that imports sets ``causerie.importing``: a reader of the feed asks what happens here, and
would otherwise get years of another product at once.
"""

from django.db import migrations, models

FEED = """
    CREATE OR REPLACE FUNCTION conversations_feed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        row_id bigint := NEW.id;
        place bigint;
        before bigint;
    BEGIN
        {guard}
        place := (SELECT last_value FROM conversations_feed_base)
            + pg_current_xact_id()::text::bigint;
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
"""
GUARD = """IF current_setting('causerie.importing', true) = 'on' THEN
            RETURN NULL;
        END IF;"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0066_tags")]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="imported_from",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=30, verbose_name="imported from"
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="imported_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Its number there.",
                max_length=100,
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="is_in_figures",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Figures leave it out otherwise: it is imported.",
            ),
        ),
        migrations.RunSQL(
            FEED.replace("{guard}", GUARD), FEED.replace("{guard}", ""), elidable=False
        ),
    ]
