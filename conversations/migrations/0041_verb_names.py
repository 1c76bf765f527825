"""Rename three verbs in the ledger: greet, relax and recall become start_bot, drop_skills and
requeue.

The trigger that refuses changes of the ledger is off within this transaction only. What a line
says (who, when, from where to where) stays.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import migrations, models

RENAMED = (("greet", "start_bot"), ("relax", "drop_skills"), ("recall", "requeue"))


def rename(names: Iterable[tuple[str, str]]) -> list[str]:
    """Return the statements that rename verbs. Each finds its lines by the index on the verb."""
    return [
        "SET LOCAL statement_timeout = 0",
        "ALTER TABLE conversations_event DISABLE TRIGGER conversations_event_stands",
        *(
            f"UPDATE conversations_event SET verb = '{new}' WHERE verb = '{old}'"
            for old, new in names
        ),
        # No trigger may be pending when the table is altered.
        "SET CONSTRAINTS ALL IMMEDIATE",
        "SET CONSTRAINTS ALL DEFERRED",
        "ALTER TABLE conversations_event ENABLE TRIGGER conversations_event_stands",
    ]


class Migration(migrations.Migration):
    dependencies = [("conversations", "0040_status_interval")]

    operations = [
        # Its condition names one of them.
        migrations.RemoveIndex(model_name="event", name="events_counted"),
        migrations.RunSQL(rename(RENAMED), rename((new, old) for old, new in RENAMED)),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(
                    (
                        "verb__in",
                        [
                            *("transfer_to_group", "transfer_to_agent", "snooze"),
                            *("reopen", "reopen_to_group", "expire", "release", "requeue"),
                        ],
                    )
                ),
                fields=["website", "verb", "at"],
                include=("id", "conversation", "group", "actor_agent"),
                name="events_counted",
            ),
        ),
    ]
