"""Refuse TRUNCATE of the record of changes."""

from django.db import migrations

from core.db.never_truncated import never_truncated


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0022_calls"),
        ("core", "0003_refuse_truncate"),
    ]

    operations = [never_truncated("accounts_change")]
