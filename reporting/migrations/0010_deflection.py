"""Let the report on deflection be sent by e-mail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0009_calls_by_mail"),
    ]

    operations = [
        migrations.AlterField(
            model_name="subscription",
            name="report",
            field=models.CharField(
                choices=[
                    ("experience", "Experience"),
                    ("conversations", "Conversations"),
                    ("agents", "Agents"),
                    ("calls", "Calls"),
                    ("deflection", "Deflection"),
                    ("transactions", "Transactions"),
                ],
                max_length=20,
                verbose_name="report",
            ),
        ),
    ]
