from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0028_single_sign_on"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="external_id",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="What the directory that provisions the account calls it (SCIM).",
                max_length=255,
            ),
        ),
    ]
