"""Add a targeting rule for every page, which replaces each website's first enabled rule."""

from django.db import migrations


def engage_everywhere(apps, schema_editor):
    rules = apps.get_model("routing", "DistributionRule").objects
    targeting_rules = apps.get_model("routing", "TargetingRule").objects
    decided = set(targeting_rules.values_list("website_id", flat=True))
    for rule in rules.filter(is_enabled=True).order_by("website_id", "position", "pk"):
        if rule.website_id not in decided:
            decided.add(rule.website_id)
            targeting_rules.create(website_id=rule.website_id, name=rule.name, rule=rule)


class Migration(migrations.Migration):
    dependencies = [("routing", "0006_audit_bots")]

    operations = [
        migrations.RunPython(engage_everywhere, migrations.RunPython.noop),
        migrations.AlterModelOptions(
            name="distributionrule",
            options={
                "ordering": ("website", "pk"),
                "verbose_name": "distribution rule",
                "verbose_name_plural": "distribution rules",
            },
        ),
        migrations.RemoveField(model_name="distributionrule", name="position"),
    ]
