"""The command that recounts denormalized columns from the ledger and lists the differences."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.lifecycle import consistency, invariants


class Command(BaseCommand):
    help = (
        "Recounts from the ledger what is kept with conversations, contacts and surveys for the "
        "figures, and names each difference. With --mend it writes what the ledger says. May run "
        "on a living system."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mend", action="store_true", help="Write what the ledger says.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["mend"]:
            mended = sum(consistency.mend(low, high) for low, high in consistency.windows())
            self.stdout.write(f"{mended} rows mended.")
        found = 0
        with invariants.frozen():
            for low, high in consistency.windows():
                for number, difference in consistency.differences(low, high):
                    found += 1
                    self.stdout.write(f"#{number}: {difference}")
                self.stderr.write(f"up to #{high - 1}")
        if found:
            raise CommandError(f"{found} differences")
        self.stdout.write("What is kept for the figures is what the ledger says.")
