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
                help_text="Town and country, by the internet address, which itself is not kept. Needs a database or a proxy that says it (see the operations manual); nothing is asked outside.",
                verbose_name="show agents where visitors write from",
            ),
        ),
    ]
