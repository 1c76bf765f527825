"""Add how conversations ended to the index of closed conversations."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0026_engaged_in_the_indexes")]

    operations = [
        migrations.RemoveIndex(model_name="conversation", name="closed_by_website"),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["website", "closed_at"],
                include=(
                    "id",
                    "opened_at",
                    "first_human_reply_at",
                    "group",
                    "queue",
                    "rule",
                    "style",
                    "language",
                    "last_holder",
                    "contact_count",
                    "changed_hands",
                    "is_begun_by_bot",
                    "payee",
                    "close_reason",
                    "closed_by",
                ),
                name="closed_by_website",
            ),
        ),
    ]
