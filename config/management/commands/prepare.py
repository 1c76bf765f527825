"""The command for what must happen before the processes of a new version start. Safe to run
again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser, call_command

from config import migration_phases
from config.translations import compile_all
from core import private_files


class Command(BaseCommand):
    help = (
        "Compile translations, close private folders, migrate and collect static files; load the "
        "demo if DEMO is on."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before",
            action="store_true",
            help="Apply only the migrations that processes of the former version can live with.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            compile_all(folder)
        for folder in (settings.MEDIA_ROOT, settings.MAIL_FOLDER, settings.FILE_UPLOAD_TEMP_DIR):
            self._close(Path(folder))
        migration_phases.migrate(only_before=options["before"])
        if settings.STATIC_ROOT:
            call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO:
            call_command("demo", verbosity=0)

    def _close(self, folder: Path) -> None:
        """Take the rights of others from files of earlier versions, or say that it is not possible,
        such as in a folder of another user."""
        try:
            private_files.close(folder)
        except OSError as error:
            self.stderr.write(f"{error.filename} stays open to other users: {error.strerror}")
