"""Say what turn 0 of an unanswered question means."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0071_moments_of_uses"),
    ]

    operations = [
        migrations.AlterField(
            model_name="unansweredquestion",
            name="turn",
            field=models.PositiveIntegerField(
                help_text="The turn of the bot that asked the knowledge; 0 for a question to an agent."
            ),
        ),
    ]
