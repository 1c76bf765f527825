"""Add indexes for reports over a period."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_drafts")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["verb", "at"], name="events_by_verb"),
        ),
        migrations.AddIndex(
            model_name="survey",
            index=models.Index(
                condition=models.Q(("answered_at__isnull", False)),
                fields=["answered_at"],
                name="surveys_by_answer",
            ),
        ),
        migrations.AddIndex(
            model_name="survey",
            index=models.Index(fields=["offered_at"], name="surveys_by_offer"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["website", "opened_at"], name="opened_by_website"),
        ),
    ]
