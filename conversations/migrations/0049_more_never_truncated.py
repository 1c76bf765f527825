"""Refuse TRUNCATE of calls and of what agents did on visitors' pages, too."""

from django.db import migrations

from core.db.never_truncated import never_truncated


class Migration(migrations.Migration):
    dependencies = [("conversations", "0048_feed")]

    operations = [
        never_truncated(f"conversations_{model}")
        for model in ("call", "cobrowsingsession", "cobrowsingact")
    ]
