"""The command that recounts denormalized columns from the ledger and lists the differences."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.lifecycle import consistency, invariants


class Command(BaseCommand):
    help = (
        "Recount the denormalized values of conversations, contacts and surveys from the ledger "
        "and list each difference. --mend corrects the stored values. Safe to run on a live "
        "system."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--mend", action="store_true", help="Correct the stored values from the ledger."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["mend"]:
            mended = sum(consistency.mend(low, high) for low, high in consistency.windows())
            self.stdout.write(f"{mended} rows corrected.")
        count = 0
        with invariants.frozen():
            for low, high in consistency.windows():
                for number, difference in consistency.differences(low, high):
                    count += 1
                    self.stdout.write(f"#{number}: {difference}")
                self.stderr.write(f"up to #{high - 1}")
        if count:
            raise CommandError(f"{count} differences")
        self.stdout.write("The stored values for the figures agree with the ledger.")
