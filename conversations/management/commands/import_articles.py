"""Import articles from a folder of Markdown files, a CSV file or a sitemap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Website
from conversations.knowledge import importing, sitemaps
from conversations.knowledge.importing import Draft
from conversations.models import ArticleState, Audience
from core.text import search_languages


class Command(BaseCommand):
    help = (
        "Import articles from a folder of Markdown files, or from a CSV file with the columns "
        "title, text and, if you like, language and id, or from the pages of a sitemap on one of "
        "the website's domains. A repeated import updates the articles. "
        "If one of them cannot be used, none is imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", help="a folder, a CSV file, or the address of a sitemap")
        parser.add_argument("--website", required=True, help="the website's key")
        parser.add_argument("--language", default="", help="if the files do not name another")
        parser.add_argument("--agents-only", action="store_true", help="not for visitors")
        parser.add_argument("--publish", action="store_true", help="publish new articles at once")

    def handle(self, *args: Any, **options: Any) -> None:
        website = Website.objects.filter(key=options["website"]).first()
        if website is None:
            raise CommandError(f"There is no website with the key {options['website']!r}.")
        language = search_languages.base(options["language"] or website.language)
        drafts = _drafts(options["path"], website, language=language)
        try:
            added, changed = importing.store(
                drafts,
                website,
                audience=Audience.AGENTS if options["agents_only"] else Audience.PUBLIC,
                state=ArticleState.PUBLISHED if options["publish"] else ArticleState.DRAFT,
                at=timezone.now(),
            )
        except importing.Unusable as unusable:
            raise CommandError(f"Nothing was imported. {unusable}") from None
        self.stdout.write(f"{added} added, {changed} changed.")


def _drafts(place: str, website: Website, *, language: str) -> Iterator[Draft]:
    if place.startswith(("https://", "http://")):
        return sitemaps.from_sitemap(place, website, language=language)
    path = Path(place)
    if not path.exists():
        raise CommandError(f"{path} does not exist.")
    read = importing.from_folder if path.is_dir() else importing.from_csv
    return read(path, language=language)
