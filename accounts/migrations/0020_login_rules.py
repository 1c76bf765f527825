"""The rule of each role's logins; changes of them and of second factors are recorded."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from accounts import audit

ROLES = [
    ("admin", "Administrator"),
    ("manager", "Manager"),
    ("agent", "Agent"),
    ("expert", "Expert"),
]


def add_rules(apps: Any, schema_editor: Any) -> None:
    rule = apps.get_model("accounts", "LoginRule")
    rule.objects.bulk_create([rule(role=role) for role, _label in ROLES])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_mirrors_screen"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=ROLES,
                        editable=False,
                        max_length=10,
                        unique=True,
                        verbose_name="role",
                    ),
                ),
                (
                    "needs_second_factor",
                    models.BooleanField(
                        default=False,
                        help_text="Users of this role who have neither an authenticator app nor a passkey are led to set one up, and reach nothing else until then.",
                        verbose_name="two-step login is required",
                    ),
                ),
            ],
            options={
                "verbose_name": "login rule",
                "verbose_name_plural": "login rules",
                "ordering": ("role",),
            },
        ),
        migrations.RunPython(add_rules, migrations.RunPython.noop),
        audit.recorded("accounts.loginrule"),
        audit.recorded(
            "mfa.authenticator",
            owner=("accounts.user", "user_id"),
            unseen=["data", "last_used_at"],
        ),
    ]
