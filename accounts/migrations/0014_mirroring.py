"""Add whether agents see which page a visitor is on (R60)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="mirroring",
            field=models.BooleanField(
                default=False,
                help_text="Agents see which page a visitor is on while he is on the site.",
                verbose_name="mirroring",
            ),
        ),
    ]
