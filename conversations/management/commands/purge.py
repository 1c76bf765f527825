"""The command that erases visitors whose retention period has ended."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.models import Website
from conversations.privacy import personal_data


class Command(BaseCommand):
    help = (
        "Erase visitors whose last activity is older than the retention period of their website. "
        "Runs automatically each hour. --dry-run only counts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count the visitors.")

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        for website in Website.objects.exclude(retention_days=None).order_by("key"):
            visitors = list(personal_data.expired(website, at=at).values_list("pk", flat=True))
            if not options["dry_run"]:
                personal_data.forget(website, visitors)
            self.stdout.write(f"{website.key}: {len(visitors)} visitors")
