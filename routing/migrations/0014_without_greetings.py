from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("routing", "0013_greetings_to_scenarios")]

    operations = [
        migrations.RemoveField(
            model_name="bot",
            name="choices",
        ),
        migrations.RemoveField(
            model_name="bot",
            name="greeting",
        ),
    ]
