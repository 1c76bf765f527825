from django.db import migrations

from accounts import audit


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit"), ("routing", "0001_initial")]

    operations = [
        audit.recorded("routing.distributionrule"),
        audit.recorded(
            "routing.rulestep",
            owner=("routing.distributionrule", "rule_id"),
            unseen=["entered_at"],
        ),
    ]
