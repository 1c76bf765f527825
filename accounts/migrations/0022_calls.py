"""Add what calls a website has (R164)."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0021_encrypted_secrets"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="agents_share_screen",
            field=models.BooleanField(
                default=False,
                help_text="During a call.",
                verbose_name="agents can share their screen",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="calls",
            field=models.CharField(
                choices=[
                    ("off", "Off"),
                    ("voice", "Voice calls"),
                    ("video", "Voice and video calls"),
                ],
                default="off",
                help_text="During a conversation, visitors and agents can call each other. Nothing is recorded.",
                max_length=5,
                verbose_name="calls",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="jitsi_url",
            field=models.URLField(
                blank=True,
                help_text="Calls then take place in a room of that server, with a name that nobody can guess: https://meet.example.com. Leave empty to connect the two browsers directly.",
                validators=[django.core.validators.URLValidator(schemes=["https"])],
                verbose_name="address of a Jitsi server",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="ring_seconds",
            field=models.PositiveSmallIntegerField(
                default=30,
                validators=[
                    django.core.validators.MinValueValidator(10),
                    django.core.validators.MaxValueValidator(180),
                ],
                verbose_name="how long a call rings (seconds)",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="visitors_share_screen",
            field=models.BooleanField(
                default=False,
                help_text="During a call. The browser asks them which window.",
                verbose_name="visitors can share their screen",
            ),
        ),
    ]
