"""Add how long a website keeps its visitors."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_side"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="retention_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="So long after his last conversation was closed a visitor is erased with all of them, files included. Empty: kept until somebody erases them.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="retention period of conversations (days)",
            ),
        ),
    ]
