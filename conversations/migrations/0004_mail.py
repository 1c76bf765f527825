import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0003_attachments"),
    ]

    operations = [
        migrations.CreateModel(
            name="Address",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                (
                    "wants_mail",
                    models.BooleanField(
                        default=True,
                        help_text="Chosen by the visitor.",
                        verbose_name="wants e-mail notifications",
                    ),
                ),
                ("given_at", models.DateTimeField(verbose_name="given at")),
                ("refused_at", models.DateTimeField(null=True, verbose_name="declined at")),
                (
                    "visitor",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="address",
                        to="conversations.visitor",
                    ),
                ),
            ],
            options={
                "verbose_name": "e-mail address",
                "verbose_name_plural": "e-mail addresses",
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="notify_at",
            field=models.DateTimeField(
                help_text="When to check whether to notify the visitor of an answer by e-mail (C10).",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("notify_at__isnull", False)),
                fields=["notify_at"],
                name="to_notify",
            ),
        ),
    ]
