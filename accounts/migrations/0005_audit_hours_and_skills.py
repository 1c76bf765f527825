from django.db import migrations

from accounts import audit


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_preferences")]

    operations = [
        audit.recorded("accounts.skill"),
        audit.recorded("accounts.agent_skills", owner=("accounts.agent", "agent_id")),
        audit.recorded("accounts.openinghours", owner=("accounts.group", "group_id")),
        audit.recorded("accounts.holiday", owner=("accounts.website", "website_id")),
    ]
