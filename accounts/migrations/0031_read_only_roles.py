"""Two roles that only read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import migrations, models

ROLES = [
    ("admin", "Administrator"),
    ("manager", "Manager"),
    ("agent", "Agent"),
    ("expert", "Expert"),
    ("auditor", "Auditor"),
    ("reviewer", "Quality reviewer"),
]
NEW = ("auditor", "reviewer")


def add_rules(apps: Any, schema_editor: Any) -> None:
    rule = apps.get_model("accounts", "LoginRule")
    rule.objects.bulk_create([rule(role=role) for role in NEW])


def remove_rules(apps: Any, schema_editor: Any) -> None:
    apps.get_model("accounts", "LoginRule").objects.filter(role__in=NEW).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0030_stored_looks")]

    operations = [
        migrations.AlterField(
            model_name="admissionrule",
            name="role",
            field=models.CharField(
                choices=ROLES,
                default="agent",
                help_text="What accounts that this rule admits may do.",
                max_length=10,
                verbose_name="role",
            ),
        ),
        migrations.AlterField(
            model_name="loginrule",
            name="role",
            field=models.CharField(
                choices=ROLES, editable=False, max_length=10, unique=True, verbose_name="role"
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=ROLES,
                default="agent",
                help_text="Administrators see and change everything. Managers oversee their groups. Agents and experts converse; experts are paid per conversation. Auditors see what administrators see, and quality reviewers what managers see; both change nothing.",
                max_length=10,
                verbose_name="role",
            ),
        ),
        migrations.AlterField(
            model_name="group",
            name="managers",
            field=models.ManyToManyField(
                blank=True,
                help_text="They manage this group and see its figures. Quality reviewers see them, too.",
                related_name="managed_groups",
                to=settings.AUTH_USER_MODEL,
                verbose_name="managers",
            ),
        ),
        migrations.RunPython(add_rules, remove_rules, elidable=False),
    ]
