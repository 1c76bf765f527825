"""Command that checks the invariants on the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.lifecycle import deadlines
from conversations.lifecycle.invariants import frozen
from routing import invariants


class Command(BaseCommand):
    help = (
        "Checks the invariants on the stored conversations: holders, slots, places, ways out, "
        "message numbers, the ledger, deadlines, what is owed, and lost capacity. Changes nothing; "
        "may run on a living system."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with frozen():
            found = list(invariants.findings(at=deadlines.database_now()))
        for finding in found:
            self.stdout.write(str(finding))
        if found:
            raise CommandError(f"{len(found)} findings")
        self.stdout.write("Every invariant holds.")
