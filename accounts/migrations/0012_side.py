"""Add the side of the page on which the Messenger appears."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_toolbar_apps"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="side",
            field=models.CharField(
                choices=[
                    ("end", "End of the line (right)"),
                    ("start", "Start of the line (left)"),
                ],
                default="end",
                max_length=5,
                verbose_name="position",
            ),
        ),
    ]
