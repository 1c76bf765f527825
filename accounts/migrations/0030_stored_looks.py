"""Let a website store what agents saw of visitors' pages."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0029_external_id"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="looks_stored_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="For so many days, managers can replay what agents saw of visitors' pages. The consent says so, and visitors are asked again. Leave empty to store nothing.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(365),
                ],
                verbose_name="store what agents saw (days)",
            ),
        ),
        migrations.AlterField(
            model_name="website",
            name="mirrors_screen",
            field=models.BooleanField(
                default=False,
                help_text="During a conversation, an agent can see the page that the visitor has in front of them, live. Visitors are asked for their consent again, see who is looking, and can stop it at any time. Nothing is stored, unless you say so below.",
                verbose_name="show agents the visitor's page",
            ),
        ),
    ]
