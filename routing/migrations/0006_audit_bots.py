from django.db import migrations

from accounts import audit


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit"), ("routing", "0005_targeting")]

    operations = [audit.recorded("routing.bot")]
