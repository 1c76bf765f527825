"""Let figures leave imported conversations out by the index alone, without stopping those who
write."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0067_imported")]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["website", "closed_at"],
                include=[
                    *("id", "opened_at", "first_human_reply_at", "group", "queue", "rule", "style"),
                    *("language", "last_holder", "contact_count", "changed_hands"),
                    *("is_begun_by_bot", "payee", "payee_role", "open_response_seconds"),
                    *("open_resolution_seconds", "close_reason", "closed_by", "is_in_figures"),
                ],
                name="closures_by_website",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                fields=["website", "opened_at"],
                include=[
                    *("id", "group", "queue", "rule", "style", "language", "last_holder"),
                    "is_in_figures",
                ],
                name="openings_by_website",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("imported_from", ""), _negated=True),
                fields=["imported_id"],
                name="by_imported_id",
            ),
        ),
        RemoveIndexConcurrently(model_name="conversation", name="closed_by_website"),
        RemoveIndexConcurrently(model_name="conversation", name="opened_by_website"),
    ]
