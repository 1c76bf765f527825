"""The command that moves stored files from one storage to another."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import storages
from django.core.management import BaseCommand, CommandError, CommandParser

from config.environment import Refused, storage_at
from core import stored_files
from core.stored_files import Damaged, Moved

EVERY = 1000


class Command(BaseCommand):
    help = (
        "Copy all stored files from one storage to another and compare each by its checksum. Each "
        "is a folder, or an address as in STORAGE_URL. It may be stopped and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source")
        parser.add_argument("target")
        parser.add_argument(
            "--delete",
            action="store_true",
            help="Delete each file from the source once it is safe.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source, target = (
                storages.create_storage(storage_at(options[end])) for end in ("source", "target")
            )
        except Refused as refused:
            raise CommandError(str(refused)) from None
        try:
            moved = stored_files.move(source, target, delete=options["delete"], tell=self._tell)
        except Damaged as damaged:
            raise CommandError(
                f"The copy of {damaged} differs; it was deleted. Run it again."
            ) from None
        except OSError as error:
            raise CommandError(f"Stopped: {error}. Run it again to go on.") from None
        self.stdout.write(
            f"{moved.copied} copied, {moved.already_there} were there, {moved.vanished} vanished "
            f"meanwhile, {moved.deleted} deleted from the source."
        )

    def _tell(self, moved: Moved) -> None:
        if (done := moved.copied + moved.already_there) % EVERY == 0:
            self.stdout.write(f"{done} files ...")
