"""Add how long after an agent's last message a transaction is still attributed to them (R69)."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_blocks")]

    operations = [
        migrations.AddField(
            model_name="website",
            name="transaction_hours",
            field=models.PositiveSmallIntegerField(
                default=48,
                help_text="A transaction is attributed to the last agent who wrote before it, "
                "within this time.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="attribution window for transactions (hours)",
            ),
        ),
    ]
