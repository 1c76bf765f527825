"""Add a website's functions: files and the questions of its survey."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_identity"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="survey_comment",
            field=models.BooleanField(
                default=True,
                help_text="In the visitor's own words. If none of the three questions is enabled, "
                "there is no survey.",
                verbose_name="ask for a comment",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="survey_csat",
            field=models.BooleanField(
                default=True,
                help_text="From 1 to 5, after a conversation.",
                verbose_name="ask about satisfaction",
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="survey_nps",
            field=models.BooleanField(
                default=True, help_text="From 0 to 10.", verbose_name="ask for a recommendation"
            ),
        ),
        migrations.AddField(
            model_name="website",
            name="takes_files",
            field=models.BooleanField(
                default=True,
                help_text="Visitors and agents can attach files to their messages.",
                verbose_name="files and pictures",
            ),
        ),
    ]
