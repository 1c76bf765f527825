"""Record the website, style and groups of each hour's demand as they were then (C57)."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

STYLES = [
    ("live", "Live"),
    ("live_with_return", "Live, with return"),
    ("social", "Social messaging"),
]
STAMP = """
    CREATE FUNCTION routing_stamp_demand() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT r.website_id, r.style,
            ARRAY(SELECT s.group_id FROM routing_rulestep s WHERE s.rule_id = r.id ORDER BY 1)
        INTO NEW.website_id, NEW.style, NEW.groups
        FROM routing_distributionrule r WHERE r.id = NEW.rule_id;
        RETURN NEW;
    END $$;
    CREATE TRIGGER stamp BEFORE INSERT ON routing_hourlydemand
        FOR EACH ROW WHEN (NEW.groups IS NULL) EXECUTE FUNCTION routing_stamp_demand();
"""
NO_STAMP = "DROP TRIGGER stamp ON routing_hourlydemand; DROP FUNCTION routing_stamp_demand()"
# The style comes from the record of changes; the groups are those at the time of the upgrade.
PAST = """
    UPDATE routing_hourlydemand d SET website_id = r.website_id,
        style = coalesce((
            SELECT h.before ->> 'style' FROM accounts_change h
            WHERE h.model = 'routing.distributionrule' AND h.object_id = r.id
                AND h.before ? 'style' AND h.at > d.hour
            ORDER BY h.id LIMIT 1
        ), r.style),
        groups = ARRAY(SELECT s.group_id FROM routing_rulestep s WHERE s.rule_id = r.id ORDER BY 1)
    FROM routing_distributionrule r WHERE r.id = d.rule_id
"""
PATIENTLY = "SET LOCAL statement_timeout = 0"
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_mirroring"), ("routing", "0010_shows_when_closed")]

    operations = [
        migrations.AddField(
            model_name="hourlydemand",
            name="website",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.website",
            ),
        ),
        migrations.AddField(
            model_name="hourlydemand",
            name="style",
            field=models.CharField(blank=True, choices=STYLES, default="", max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="hourlydemand",
            name="groups",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                help_text="To which the rule led; ids.",
                null=True,
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="hourlydemand",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="demand",
                to="routing.distributionrule",
            ),
        ),
        migrations.RunSQL([PATIENTLY, STAMP], NO_STAMP),
        migrations.RunSQL([PAST, AT_ONCE], migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="hourlydemand",
            index=models.Index(
                condition=models.Q(("messages_refused__gt", 0)),
                fields=["website", "hour"],
                name="refused_by_website",
            ),
        ),
    ]
