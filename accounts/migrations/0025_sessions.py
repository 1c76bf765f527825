"""How long sessions of each role last, and the record of logins."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0024_api_tokens"),
    ]

    operations = [
        migrations.AddField(
            model_name="loginrule",
            name="idle_minutes",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Empty: no limit. What counts is what a person does; a page that updates itself does not. For new logins.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(5),
                    django.core.validators.MaxValueValidator(20160),
                ],
                verbose_name="minutes without activity until the logout",
            ),
        ),
        migrations.AddField(
            model_name="loginrule",
            name="longest_hours",
            field=models.PositiveIntegerField(
                default=336,
                help_text="336 hours are two weeks. For new logins.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(8760),
                ],
                verbose_name="hours from the login to the logout",
            ),
        ),
        migrations.CreateModel(
            name="Login",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="moment")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("succeeded", "succeeded"),
                            ("wrong_password", "wrong password"),
                            ("wrong_code", "wrong code"),
                        ],
                        max_length=20,
                        verbose_name="outcome",
                    ),
                ),
                ("method", models.CharField(blank=True, max_length=60, verbose_name="proof")),
                ("device", models.CharField(blank=True, max_length=60, verbose_name="device")),
                (
                    "address",
                    models.GenericIPAddressField(null=True, verbose_name="internet address"),
                ),
                ("session_key", models.CharField(blank=True, max_length=40)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="logins",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "login",
                "verbose_name_plural": "logins",
                "ordering": ("-at", "-pk"),
                "indexes": [
                    models.Index(fields=["user", "-at"], name="logins_of_user"),
                    models.Index(fields=["at"], name="logins_by_age"),
                    models.Index(fields=["session_key"], name="login_of_session"),
                ],
            },
        ),
    ]
