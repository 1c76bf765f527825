"""Add the picture of the visitor's page, and what it shows (R60)."""

import django.contrib.postgres.fields
import django.core.validators
from django.db import migrations, models

import accounts.models.websites


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_failed_logins"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="mirror_hides",
            field=models.TextField(
                blank=True,
                help_text="CSS selectors, one on each line: .invoice, #address. Agents see an empty area there. Elements with the attribute data-private are always hidden.",
                max_length=4000,
                validators=[accounts.models.websites.check_selectors],
                verbose_name="hidden parts of pages",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="mirror_shows_inputs",
            field=models.BooleanField(
                default=False,
                help_text="Otherwise all fields are masked. Passwords and payment fields are always masked.",
                verbose_name="show what visitors type",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="mirror_sources",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=253,
                    validators=[
                        django.core.validators.RegexValidator(
                            "^(\\*\\.)?([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:]+\\])(:\\d{1,5})?$"
                        )
                    ],
                ),
                blank=True,
                default=list,
                help_text="Agents' browsers load these only from the website's domains and from the hosts listed here, separated by commas: cdn.example.net.",
                size=None,
                verbose_name="other hosts of pictures, fonts and styles",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="mirrors_screen",
            field=models.BooleanField(
                default=False,
                help_text="During a conversation, an agent can see the page that the visitor has in front of them, live. Visitors are asked for their consent again, see who is looking, and can stop it at any time. Nothing is stored.",
                verbose_name="show agents the visitor's page",
            ),
        ),
    ]
