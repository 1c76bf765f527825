"""The guide for agents (docs/guide/) as a page: one text for each language, all equivalent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER = Path(settings.BASE_DIR) / "docs" / "guide"


@dataclass(frozen=True, slots=True)
class Guide:
    """``html`` is made of our own text, without mark-up from elsewhere."""

    title: str
    html: SafeString
    sections: tuple[tuple[str, str], ...]
    """The anchor and name of each, in order."""


def slug(heading: str) -> str:
    """Return the anchor of a heading, as code forges make it, so that links work in both places."""
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")


def guide_in(language: str) -> Guide:
    """Return the guide in a language, or the English one if there is none."""
    path = FOLDER / f"{language}.md"
    path = path if path.is_file() else FOLDER / "en.md"
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Guide:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(path.read_text("utf-8"))
    title, sections = "", []
    for opening, inside in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        opening.attrSet("id", slug(inside.content))
        if opening.tag == "h1":
            title = inside.content
        elif opening.tag == "h2":
            sections.append((slug(inside.content), inside.content))
    for token in tokens:
        for child in token.children or []:
            _dress(child)
    html = parser.renderer.render(tokens, parser.options, {})
    return Guide(title, mark_safe(html), tuple(sections))


def _dress(token: Token) -> None:
    """Point pictures to the static files, and load them lazily."""
    if token.type == "image":
        name = str(token.attrGet("src")).removeprefix("images/")
        token.attrSet("src", static(f"guide/{name}"))
        token.attrSet("loading", "lazy")
