"""Index the conversations that hold an inbox, without stopping those who write."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0061_inboxes")]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("inbox__isnull", False)), fields=["inbox"], name="by_inbox"
            ),
        ),
    ]
