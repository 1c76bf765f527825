"""Add the secrets for signed external ids, and the version of the consent text."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.models.identity
from accounts import audit


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_transaction_delay"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="consent_version",
            field=models.PositiveIntegerField(
                default=1,
                editable=False,
                help_text="Version number of the consent text shown to visitors.",
                verbose_name="consent version",
            ),
        ),
        migrations.CreateModel(
            name="IdentitySecret",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "salt",
                    models.CharField(
                        default=accounts.models.identity.new_secret,
                        editable=False,
                        max_length=64,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "ends_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="accepted until"),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identity_secrets",
                        to="accounts.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "identity secret",
                "verbose_name_plural": "identity secrets",
                "ordering": ("website", "-created_at", "-pk"),
            },
        ),
        audit.recorded(
            "accounts.identitysecret", owner=("accounts.website", "website_id"), secret=["salt"]
        ),
    ]
