"""Reads purchases and refunds from a CSV file of a shop system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Website
from reporting import imports
from reporting.transactions import Invalid


class Command(BaseCommand):
    help = (
        "Records the purchases and refunds of a CSV file (id, amount, currency, made_at; customer, "
        "visitor, refunded). Each id counts once: the same file may be read again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("website", help="The website's key.")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        website = Website.objects.filter(key=options["website"]).first()
        if website is None:
            raise CommandError(f"no website has the key {options['website']}")
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as lines:
                done = imports.read(website, lines, at=timezone.now())
        except (OSError, UnicodeDecodeError, Invalid) as error:
            raise CommandError(str(error)) from None
        for number, why in done.faults:
            self.stderr.write(f"line {number}: {why}")
        self.stdout.write(
            f"{done.new} new, {done.known} known, {done.refunds} refunds, {done.refused} refused"
        )
