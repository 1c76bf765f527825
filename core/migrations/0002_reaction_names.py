"""Update the dotted names of reactions in outbox entries to the modules' new places."""

from __future__ import annotations

from typing import Any

from django.db import migrations

MOVED = {
    "reporting.nudges.": "reporting.task_triggers.",
    "reporting.mailing.": "reporting.reports.mails.",
    "reporting.exporting.telling.": "reporting.exports.notifications.",
    "routing.escalation.": "routing.actions.escalation.",
    "routing.reclaiming.": "routing.actions.reclaiming.",
}


def rename(entries: Any, names: dict[str, str]) -> None:
    """Rename reactions in all entries, dead ones included: they may be retried by hand."""
    for old, new in names.items():
        for reaction in entries.filter(reaction__startswith=old).values_list("reaction").distinct():
            entries.filter(reaction=reaction[0]).update(reaction=new + reaction[0][len(old) :])


def forwards(apps: Any, schema_editor: Any) -> None:
    rename(apps.get_model("core", "OutboxEntry").objects, MOVED)


def backwards(apps: Any, schema_editor: Any) -> None:
    rename(apps.get_model("core", "OutboxEntry").objects, {new: old for old, new in MOVED.items()})


class Migration(migrations.Migration):
    dependencies = [("core", "0001_outbox")]

    operations = [migrations.RunPython(forwards, backwards)]
