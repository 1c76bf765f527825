"""Add third-party applications in the desk's toolbar. Changes are recorded, secrets are not."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.models.identity
import accounts.models.toolbar_apps
from accounts import audit


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_place"),
    ]

    operations = [
        migrations.CreateModel(
            name="ToolbarApp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "url",
                    models.URLField(
                        help_text="A page designed to be embedded, on a different host from this one.",
                        max_length=500,
                        validators=[accounts.models.toolbar_apps.check_address],
                        verbose_name="address",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                ("is_enabled", models.BooleanField(default=True, verbose_name="shown")),
                (
                    "salt",
                    models.CharField(
                        default=accounts.models.identity.new_secret, editable=False, max_length=64
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The application is shown in conversations of these groups. "
                        "Leave empty to show it in all groups of the website.",
                        related_name="apps",
                        to="accounts.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="apps",
                        to="accounts.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "application in the toolbar",
                "verbose_name_plural": "applications in the toolbar",
                "ordering": ("website", "position", "name"),
                "constraints": [
                    models.UniqueConstraint(fields=("website", "name"), name="app_name_once")
                ],
            },
        ),
        audit.recorded(
            "accounts.toolbarapp", owner=("accounts.website", "website_id"), secret=["salt"]
        ),
        audit.recorded(
            "accounts.toolbarapp_groups", owner=("accounts.toolbarapp", "toolbarapp_id")
        ),
    ]
