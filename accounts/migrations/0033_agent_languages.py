"""Add the languages of agents, for translations of messages."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0032_wording"),
    ]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="languages",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The codes of the languages that the agent reads and writes, such as “fr, en”, if the website translates messages: into the first one. Leave empty if it is the website's.",
                max_length=60,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[a-z]{2,3}(, ?[a-z]{2,3})*\\Z", "Enter codes such as: fr, en"
                    )
                ],
                verbose_name="languages",
            ),
        ),
    ]
