"""The command that imports conversations of another product, or of our own export."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Website
from messenger.moving import chatwoot, importing, lines, zendesk
from messenger.moving.importing import Import, Plan
from messenger.moving.lines import Line, Unit, Whole
from messenger.moving.report import Report

CONVERTERS = {"chatwoot": chatwoot.convert, "zendesk": zendesk.convert}
HISTORY = "history.jsonl"
EVERY_SECONDS = 5.0


class Command(BaseCommand):
    help = (
        "Import persons, conversations, messages, notes and files from JSON Lines "
        "(docs/moving.md), or from answers of Chatwoot's or Zendesk's API that were saved in a "
        "folder. Imported conversations are closed. You can run it again: what is stored is not "
        "stored twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("website", help="The website's key.")
        parser.add_argument("path", type=Path, help=f"The file, or a folder with {HISTORY}.")
        parser.add_argument(
            "--from", dest="converter", choices=sorted(CONVERTERS), help="What the folder holds."
        )
        parser.add_argument("--report", type=Path, help="Where to write what was not taken.")
        parser.add_argument(
            "--count", action="store_true", help="Include the conversations in the figures."
        )
        parser.add_argument("--check", action="store_true", help="Read only; store nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        website = Website.objects.filter(key=options["website"]).first()
        if website is None:
            raise CommandError(f"No website has the key {options['website']}.")
        path: Path = options["path"]
        folder = path if path.is_dir() else path.parent
        if options["converter"]:
            read = CONVERTERS[options["converter"]](path)
        else:
            read = lines.of_file(path / HISTORY if path.is_dir() else path)
        where: Path = options["report"] or folder / "import-report.jsonl"
        try:
            with where.open("w", encoding="utf-8") as out, importing.alone(website):
                report = Report(out)
                source = lines.source_of(read)
                plan = Plan(website, source, folder, timezone.now(), counts=options["count"])
                self._import(plan, read, report, only_check=options["check"])
        except (OSError, lines.NotOurForm) as error:
            raise CommandError(str(error)) from None
        except importing.Busy:
            raise CommandError("Another import into this website is running.") from None
        self._sum_up(report, where)

    def _import(
        self, plan: Plan, read: Iterator[Line], report: Report, *, only_check: bool
    ) -> None:
        found = lines.units(read, language=plan.website.language, at=plan.at, report=report)
        if only_check:
            report.taken += _counted(found, report)
            return
        Import(plan, report).run(found, on_progress=self._progress(report))

    def _progress(self, report: Report) -> Any:
        began = said = time.monotonic()

        def tell() -> None:
            nonlocal said
            now = time.monotonic()
            if now - said >= EVERY_SECONDS:
                said = now
                done = report.taken["conversation"] + report.known["conversation"]
                self.stderr.write(f"{done} conversations, {done / (now - began):.0f} a second")

        return tell

    def _sum_up(self, report: Report, where: Path) -> None:
        kinds = sorted({*report.taken, *report.known, *report.refused})
        for kind in kinds:
            self.stdout.write(
                f"{kind}: {report.taken[kind]} imported, {report.known[kind]} here before, "
                f"{report.refused[kind]} refused"
            )
        self.stdout.write(f"{report.changed} changes. {where} says what was refused or changed.")


def _counted(found: Iterator[Unit], report: Report) -> Counter[str]:
    """Count what could be imported, and report what would be changed."""
    counted: Counter[str] = Counter()
    for unit in found:
        whole = [unit.head, *unit.parts] if isinstance(unit, Whole) else [unit]
        for one in whole:
            counted[one.type] += 1
            for change in one.changes:
                report.change(one.place, one.type, getattr(one.record, "id", ""), change)
    return counted
