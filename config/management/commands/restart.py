"""The command that runs new code without a stop."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from config import migration_phases, restarts

SECONDS = 600


class Command(BaseCommand):
    help = (
        "Restart all processes of the supervisor one after the other, with the code and settings "
        "that are there now. Nobody is interrupted. Ends with code 1, and changes nothing, if the "
        "new web processes do not get ready."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        missing, _after = migration_phases.pending()
        if missing:
            raise CommandError("Run `manage.py prepare --before` first: the database is too old.")
        try:
            problem = restarts.ask(settings.VAR, SECONDS)
        except restarts.NoSupervisor:
            raise CommandError(
                f"No supervisor runs on {settings.VAR}. Processes that a service manager runs one "
                "by one are restarted by it: see docs/operations.md, Upgrading."
            ) from None
        if problem is None:
            raise CommandError(f"The restart has not finished after {SECONDS} s; see the log.")
        if problem:
            raise CommandError(problem)
        self.stdout.write("Restarted.")
