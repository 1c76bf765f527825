"""Refuse TRUNCATE of the ledger, consents, looks and erasures."""

from django.db import migrations

from core.db.never_truncated import never_truncated


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0045_calls"),
        ("core", "0003_refuse_truncate"),
    ]

    operations = [
        never_truncated(f"conversations_{model}")
        for model in ("event", "consent", "mirrorlook", "erasure")
    ]
