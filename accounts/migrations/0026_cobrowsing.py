"""Add what agents may do on visitors' pages."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0025_sessions"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="cobrowsing",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("point", "show a pointer"),
                        ("highlight", "highlight parts of the page"),
                        ("draw", "draw on the page"),
                        ("scroll", "scroll"),
                        ("link", "open links of the site"),
                        ("click", "click"),
                        ("fill", "fill in fields"),
                        ("submit", "submit forms"),
                    ],
                    max_length=9,
                ),
                blank=True,
                default=list,
                help_text="The agent asks each time, the visitor accepts in the Messenger and can stop at any moment. Passwords, payment fields and files are never accessible. Only where agents see the page.",
                size=None,
                verbose_name="what agents may do on the visitor's page",
            ),
        ),
    ]
