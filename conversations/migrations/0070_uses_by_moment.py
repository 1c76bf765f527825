"""Add when the day of an article's uses began, as reports read all sources by moments."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0069_message_translations"),
    ]

    operations = [
        migrations.AddField(
            model_name="articleuse",
            name="began_at",
            field=models.DateTimeField(
                help_text="When that day began: for the reports.", null=True
            ),
        ),
    ]
