"""Let websites show agents where visitors write from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_functions"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="shows_place",
            field=models.BooleanField(
                default=False,
                help_text="Town and country, derived from the IP address, which is not stored. "
                "Requires a database or proxy that provides them (see the operations "
                "manual). No external service is called.",
                verbose_name="show agents the visitor's location",
            ),
        ),
    ]
