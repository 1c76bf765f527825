"""Command that checks the invariants on the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.lifecycle import deadlines
from conversations.lifecycle.invariants import frozen
from routing import invariants


class Command(BaseCommand):
    help = (
        "Check the invariants of the stored conversations: holders, slots, places, exits, message "
        "numbers, the ledger, deadlines, pending work and lost capacity. Changes nothing. Safe to "
        "run on a live system."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with frozen():
            violations = list(invariants.findings(at=deadlines.database_now()))
        for finding in violations:
            self.stdout.write(str(finding))
        if violations:
            raise CommandError(f"{len(violations)} findings")
        self.stdout.write("Every invariant holds.")
