"""The command for a change of ``SECRET_KEY``: it encrypts all secrets with the new key."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from accounts.logins import factor_secrets
from core import encryption


class Command(BaseCommand):
    help = "Encrypt secrets with SECRET_KEY that are encrypted with one of SECRET_KEY_FALLBACKS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count them.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        done = encryption.reencrypt(dry_run=dry_run)
        factor_secrets.reencrypt(done, dry_run=dry_run)
        verb = "would be encrypted anew" if dry_run else "encrypted anew"
        for label, count in done.changed.items():
            self.stdout.write(f"{label}: {count} {verb}")
        for label, rows in done.unreadable.items():
            named = ", ".join(map(str, rows))
            self.stderr.write(f"{label}: no key decrypts row {named}. Enter or replace it again.")
        if done.unreadable:
            raise CommandError("Some secrets cannot be read.")
        if dry_run and any(done.changed.values()):
            raise CommandError("Some secrets are still encrypted with an earlier key.")
