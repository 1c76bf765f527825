"""Add what a person's visitors share: hidden history, withdrawn consent, a profile."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0011_mentions"),
    ]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="kind",
            field=models.CharField(
                choices=[("given", "Given"), ("withdrawn", "Withdrawn")],
                default="given",
                max_length=9,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="consent",
            name="version",
            field=models.PositiveIntegerField(default=1, verbose_name="text version"),
        ),
        migrations.AddField(
            model_name="person",
            name="name",
            field=models.CharField(blank=True, max_length=100, verbose_name="name"),
        ),
        migrations.AddField(
            model_name="person",
            name="profile",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Signed customer data from the brand's server.",
                verbose_name="profile",
            ),
        ),
        migrations.AddField(
            model_name="visitor",
            name="hidden_at",
            field=models.DateTimeField(
                help_text="Earlier messages are hidden in this visitor's Messenger.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="visitor",
            name="withdrawn_at",
            field=models.DateTimeField(
                help_text="When consent was withdrawn. Empty if it was given again.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="consent",
            name="given_at",
            field=models.DateTimeField(verbose_name="moment"),
        ),
        migrations.AlterField(
            model_name="consent",
            name="language",
            field=models.CharField(max_length=10, verbose_name="language"),
        ),
        migrations.AlterField(
            model_name="consent",
            name="text",
            field=models.TextField(verbose_name="text"),
        ),
    ]
