"""The guide for agents (docs/guide/) as a page: one text for each language, the same in all."""

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
    """``html`` is made of our own text, with no markup taken from anywhere."""

    title: str
    html: SafeString
    sections: tuple[tuple[str, str], ...]
    """Anchor and name of each, in order."""


def slug(heading: str) -> str:
    """The anchor of a heading, as forges make it, so that one link serves in both places."""
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")


def guide_in(language: str) -> Guide:
    """The guide in a language, or in English where there is none."""
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
    """Pictures are served as the static files they are, and loaded when they come into sight."""
    if token.type == "image":
        name = str(token.attrGet("src")).removeprefix("images/")
        token.attrSet("src", static(f"guide/{name}"))
        token.attrSet("loading", "lazy")
