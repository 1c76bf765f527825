"""Fill in when the days of articles' uses began."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from django.db import migrations


def fill(apps, _schema_editor):
    """Fill in the days so far, one by one. What the former version counts meanwhile gets its moment
    with the next count of that day."""
    uses = apps.get_model("conversations", "ArticleUse").objects
    for use in uses.filter(began_at=None).select_related("article__website").iterator():
        zone = ZoneInfo(use.article.website.time_zone)
        began_at = datetime.combine(use.day, time(0), tzinfo=zone).astimezone(UTC)
        uses.filter(pk=use.pk).update(began_at=began_at)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("conversations", "0070_uses_by_moment"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
