"""Store a website's past time zones, so that past days keep their midnights (C57)."""

from django.db import migrations, models

from accounts import audit

REMEMBER = """
    CREATE FUNCTION accounts_remember_zone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.past_zones := OLD.past_zones
            || jsonb_build_array(jsonb_build_object('until', now(), 'zone', OLD.time_zone));
        RETURN NEW;
    END $$;
    CREATE TRIGGER remember_zone BEFORE UPDATE ON accounts_website
        FOR EACH ROW WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone)
        EXECUTE FUNCTION accounts_remember_zone();
"""
FORGET = """
    DROP TRIGGER remember_zone ON accounts_website;
    DROP FUNCTION accounts_remember_zone();
"""
PAST = """
    UPDATE accounts_website w SET past_zones = told.zones FROM (
        SELECT object_id, jsonb_agg(
            jsonb_build_object('until', at, 'zone', before ->> 'time_zone') ORDER BY id
        ) AS zones
        FROM accounts_change
        WHERE model = 'accounts.website' AND kind = 'UPDATE' AND before ? 'time_zone'
        GROUP BY object_id
    ) told WHERE told.object_id = w.id
"""
UNRECORDED = "DROP TRIGGER record_change ON accounts_website"
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_stays_open")]

    operations = [
        migrations.AddField(
            model_name="website",
            name="past_zones",
            field=models.JSONField(
                default=list,
                editable=False,
                help_text=(
                    "The zones of before, each with the moment of its end; the database writes it."
                ),
            ),
        ),
        migrations.RunSQL(UNRECORDED, migrations.RunSQL.noop),
        audit.recorded("accounts.website", unseen=["past_zones"]),
        migrations.RunSQL([PAST, AT_ONCE, REMEMBER], FORGET),
    ]
