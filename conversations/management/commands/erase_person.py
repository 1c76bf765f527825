"""The command that erases a customer or visitor for good."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from conversations.privacy import personal_data
from conversations.privacy.data_subjects import add_arguments, find


class Command(BaseCommand):
    help = (
        "Erase everything stored about a person (external id) or a visitor (id), files included. "
        "Without --yes, only count it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="Erase. Cannot be undone.")

    def handle(self, *args: Any, **options: Any) -> None:
        subject = find(options["website"], options["subject"])
        if not options["yes"]:
            tables = personal_data.export(subject)["tables"]
            summary = ", ".join(f"{name} {len(rows)}" for name, rows in tables.items())
            self.stdout.write(f"Would erase: {summary}. Add --yes to erase it.")
            return
        try:
            done = personal_data.erase(subject, by=None, at=timezone.now())
        except personal_data.StillOpen as still_open:
            raise CommandError(f"Close these conversations first: {still_open}") from None
        summary = ", ".join(f"{name} {count}" for name, count in done.rows.items())
        self.stdout.write(f"Erased: {summary}.")
