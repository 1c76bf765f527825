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
                        help_text="The visitor's own choice.",
                        verbose_name="wants to be told by e-mail",
                    ),
                ),
                ("given_at", models.DateTimeField(verbose_name="given at")),
                ("refused_at", models.DateTimeField(null=True, verbose_name="refused at")),
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
                help_text="When to look whether the visitor is told by e-mail of an answer (C10).",
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
