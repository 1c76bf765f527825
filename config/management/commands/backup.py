"""``manage.py backup FOLDER``: a backup of the database and the files while the product runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config import backups


class Command(BaseCommand):
    help = (
        "Write a backup of the database and the files into a new folder below FOLDER. Safe to run "
        "while people work. It does not contain SECRET_KEY: keep that apart."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--keep", type=int, help="Then delete all but the last KEEP backups.")

    def handle(self, *args: Any, folder: Path, keep: int | None, **options: Any) -> None:
        if keep is not None and keep < 1:
            raise CommandError("--keep must be at least 1.")
        try:
            made = backups.back_up(folder, at=timezone.now())
            old = backups.drop_old(folder, keep=keep) if keep is not None else []
        except backups.BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{made}")
        for deleted in old:
            self.stdout.write(f"deleted {deleted}")
