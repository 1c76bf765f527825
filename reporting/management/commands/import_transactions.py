"""The command that imports purchases and refunds from a CSV file of a shop system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Website
from reporting.sales import imports
from reporting.sales.csv_lines import text_of
from reporting.sales.recording import Invalid


class Command(BaseCommand):
    help = (
        "Record the purchases and refunds of a CSV file (id, amount, currency, made_at; customer, "
        "visitor, refunded): all lines, or none if one is invalid. Each id counts once, so you can "
        "import the same file again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("website", help="The website's key.")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--check", action="store_true", help="Only report what would be recorded."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        website = Website.objects.filter(key=options["website"]).first()
        if website is None:
            raise CommandError(f"No website has the key {options['website']}.")
        try:
            with text_of(options["file"].open("rb")) as lines:
                done = imports.read(website, lines, at=timezone.now(), only_check=options["check"])
        except (OSError, Invalid) as error:
            raise CommandError(str(error)) from None
        for number, why in done.faults:
            self.stderr.write(f"line {number}: {why}")
        if done.not_listed:
            self.stderr.write(f"and {done.not_listed} lines more")
        if done.unused:
            self.stderr.write(f"columns that are not used: {', '.join(done.unused)}")
        self.stdout.write(
            f"{done.new} new, {done.known} known, {done.refunds} refunds, {done.refused} refused"
        )
        if done.refused:
            raise CommandError(
                "Nothing was recorded. Correct these lines and import the file again."
            )
        if not done.is_recorded:
            self.stdout.write("Nothing was recorded: this was only a check.")
