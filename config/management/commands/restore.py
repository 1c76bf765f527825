"""``manage.py restore FOLDER``: put a backup into an empty installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from config import backups


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty database and the folders of files. Run it while the "
        "product is stopped; then start it, which migrates what is older."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            contents = backups.restore(folder)
        except backups.BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Restored the backup of {contents.made_at}.")
        if not backups.has_same_secret(contents):
            self.stderr.write(
                "SECRET_KEY is another one than at the backup. Stored secrets cannot be read, and "
                "links in e-mails are no longer valid, until you set the former one, or add it to "
                "SECRET_KEY_FALLBACKS."
            )
