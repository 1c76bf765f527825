"""Importing articles from a folder of Markdown files or a CSV file; ``sitemaps`` reads pages.

An import that is repeated updates the articles it made: ``source`` names the file or row. It never
publishes what is a draft here, nor changes who may read an article.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.knowledge import articles
from conversations.models import Article, ArticleState, Audience
from core.text import cleaning, search_languages

SIZE_LIMIT = 200_000  # bytes of a Markdown file
BODY_LIMIT = 50_000
COLUMNS = ("title", "text")


class Unusable(ValueError):
    """A file or row cannot become an article. The text says which, and why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An article to import."""

    source: str
    name: str
    body: str
    language: str


def from_folder(folder: Path, *, language: str) -> Iterator[Draft]:
    """Yield an article for each ``*.md`` file. Its title is its first heading, or its name; a
    subfolder that is named after a language holds the articles in it."""
    for path in sorted(folder.rglob("*.md")):
        source = path.relative_to(folder).as_posix()
        if path.stat().st_size > SIZE_LIMIT:
            raise Unusable(_("%(file)s is too large.") % {"file": source})
        try:
            text = path.read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise Unusable(_("%(file)s is not UTF-8 text.") % {"file": source}) from None
        first, _newline, rest = text.strip().partition("\n")
        is_titled = first.startswith("# ")
        name = first[2:] if is_titled else path.stem.replace("-", " ").replace("_", " ")
        parts = (part.lower() for part in path.relative_to(folder).parts[:-1])
        known = next((part for part in parts if part in search_languages.CONFIGURATIONS), language)
        yield draft(source, name, rest if is_titled else text, known)


def from_csv(path: Path, *, language: str) -> Iterator[Draft]:
    """Yield an article for each row: ``title`` and ``text``, and where they exist ``language`` and
    ``id``, by which the next import finds the article again."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = csv.DictReader(file, strict=True)
            if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
                raise Unusable(_("The file has no column “%(name)s”.") % {"name": missing[0]})
            for row in rows:
                key = (row.get("id") or row["title"] or "").strip()
                tongue = search_languages.base((row.get("language") or "").strip() or language)
                yield draft(f"csv:{key}"[:300], row["title"] or "", row["text"] or "", tongue)
        except (csv.Error, UnicodeDecodeError) as error:
            raise Unusable(_("This file is not a CSV file in UTF-8.")) from error


def draft(source: str, name: str, body: str, language: str) -> Draft:
    """Return an article to import; raise ``Unusable``."""
    name, body = cleaning.line(cleaning.clean(name), 120), cleaning.words(cleaning.clean(body))
    if not name or not body:
        raise Unusable(_("%(file)s has no title or no text.") % {"file": source})
    if len(body) > BODY_LIMIT:
        raise Unusable(_("%(file)s is too large.") % {"file": source})
    if language not in search_languages.CONFIGURATIONS:
        values = {"file": source, "language": language}
        raise Unusable(_("%(file)s: the language “%(language)s” is unknown.") % values)
    return Draft(source[:300], name, body, language)


@transaction.atomic
def store(
    drafts: Iterator[Draft],
    website: Website,
    *,
    audience: Audience,
    state: ArticleState,
    at: datetime,
) -> tuple[int, int]:
    """Store all articles or, if one is unusable, none; return how many are new and how many were
    changed. ``audience`` and ``state`` are those of new articles."""
    added = changed = 0
    for draft in drafts:
        article = Article.objects.filter(website=website, source=draft.source).first()
        if article is None:
            added += 1
            article = Article(website=website, source=draft.source, audience=audience, state=state)
        elif (article.name, article.body, article.language) == (
            draft.name,
            draft.body,
            draft.language,
        ):
            continue
        else:
            changed += 1
        article.name, article.body, article.language = draft.name, draft.body, draft.language
        articles.save(article, at=at)
    return added, changed
