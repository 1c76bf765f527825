"""Add page views and profiles of visitors, with indexes to delete old ones."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_place"),
        ("conversations", "0014_omissions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Profile",
            fields=[
                (
                    "visitor",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="profile",
                        serialize=False,
                        to="conversations.visitor",
                    ),
                ),
                ("device", models.CharField(blank=True, max_length=10, verbose_name="device")),
                ("language", models.CharField(blank=True, max_length=35, verbose_name="language")),
                (
                    "referrer",
                    models.CharField(blank=True, max_length=2000, verbose_name="referrer"),
                ),
                (
                    "place",
                    models.CharField(blank=True, max_length=100, verbose_name="location"),
                ),
                ("data", models.JSONField(blank=True, default=dict, verbose_name="custom data")),
                ("said_at", models.DateTimeField(verbose_name="reported at")),
            ],
            options={
                "verbose_name": "profile of a visitor",
                "verbose_name_plural": "profiles of visitors",
            },
        ),
        migrations.CreateModel(
            name="SeenPage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("url", models.CharField(max_length=2000, verbose_name="address")),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("seen_at", models.DateTimeField(verbose_name="viewed at")),
            ],
            options={
                "verbose_name": "page viewed",
                "verbose_name_plural": "pages viewed",
            },
        ),
        migrations.AddIndex(
            model_name="draft",
            index=models.Index(fields=["saved_at"], name="drafts_by_age"),
        ),
        migrations.AddIndex(
            model_name="profile",
            index=models.Index(fields=["said_at"], name="profiles_by_age"),
        ),
        migrations.AddField(
            model_name="seenpage",
            name="visitor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="pages",
                to="conversations.visitor",
            ),
        ),
        migrations.AddIndex(
            model_name="seenpage",
            index=models.Index(fields=["visitor", "-id"], name="pages_of_visitor"),
        ),
        migrations.AddIndex(
            model_name="seenpage",
            index=models.Index(fields=["seen_at"], name="pages_by_age"),
        ),
    ]
