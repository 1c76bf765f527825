"""The command that writes all conversations of a website in the form of ``import_history``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Website
from messenger.moving import exporting
from messenger.moving.exporting import Export

EVERY_SECONDS = 5.0


class Command(BaseCommand):
    help = (
        "Write a website's agents, people, conversations, messages, notes and files into a folder, "
        "as import_history reads them (docs/moving.md). If it is interrupted, run it again: it "
        "continues."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("website", help="The website's key.")
        parser.add_argument("folder", type=Path, help="An empty folder, or a new one.")

    def handle(self, *args: Any, **options: Any) -> None:
        website = Website.objects.filter(key=options["website"]).first()
        if website is None:
            raise CommandError(f"No website has the key {options['website']}.")
        said = time.monotonic()

        def tell(count: int) -> None:
            nonlocal said
            if time.monotonic() - said >= EVERY_SECONDS:
                said = time.monotonic()
                self.stderr.write(f"{count} lines")

        try:
            count = Export(website, options["folder"]).run(on_progress=tell)
        except exporting.AlreadyThere:
            raise CommandError("This folder holds a finished export. Name another one.") from None
        except exporting.OtherWebsite:
            raise CommandError("This folder holds an export of another website.") from None
        except OSError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{count} lines in {options['folder'] / exporting.HISTORY}.")
