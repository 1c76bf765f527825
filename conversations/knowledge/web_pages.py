"""A web page as an article: its title and its main text as Markdown. Pure functions of HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass

import lxml.html
from lxml.etree import LxmlError
from lxml.html import HtmlElement

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
LEFT_OUT = {
    *("script", "style", "noscript", "template", "svg", "iframe", "object", "form", "button"),
    *("nav", "header", "footer", "aside", "select", "dialog"),
}
BLOCKS = {
    *("address", "article", "blockquote", "dd", "details", "div", "dl", "dt", "figure"),
    *("figcaption", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tr", "ul"),
    *HEADINGS,
}
MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")
DEPTH = 100


@dataclass(frozen=True, slots=True)
class WebPage:
    """What an article takes from a page; ``language`` is empty if the page does not say it."""

    title: str
    body: str
    language: str


def read(html: bytes) -> WebPage | None:
    """Return the title and the main text of a page; ``None`` if it has neither."""
    try:
        root = lxml.html.document_fromstring(html)
    except (LxmlError, ValueError):
        return None
    main = next(iter([*root.iter("main"), *root.iter("article"), *root.iter("body")]), root)
    first = next(root.iter("h1"), None)
    titles = [_words(first) if first is not None else "", root.findtext(".//title") or ""]
    title = next((" ".join(one.split()) for one in titles if one.split()), "")
    blocks: list[str] = []
    _collect(main, blocks, depth=0)
    # The title is the article's own and not said again.
    body = "\n\n".join(block for block in blocks if block.lstrip("# ") != _escaped(title))
    if not title or not body:
        return None
    return WebPage(title, body, (root.get("lang") or "").strip().lower())


def _collect(node: HtmlElement, blocks: list[str], *, depth: int) -> None:
    """Append the blocks of text in a node, in reading order."""
    if depth > DEPTH:
        return
    loose: list[str] = [node.text or ""]

    def end_block() -> None:
        if text := _escaped(" ".join(loose)):
            blocks.append(f"{_mark(node)}{text}")
        loose.clear()

    for child in node:
        # The tag of a comment is a function.
        if isinstance(child.tag, str) and child.tag not in LEFT_OUT:
            if child.tag in BLOCKS:
                end_block()
                if child.tag == "tr":
                    cells = (_escaped(_words(cell)) for cell in child)
                    blocks.append(" · ".join(filter(None, cells)))
                else:
                    _collect(child, blocks, depth=depth + 1)
            else:
                loose.append(_words(child))
        loose.append(child.tail or "")
    end_block()


def _mark(node: HtmlElement) -> str:
    if node.tag in HEADINGS:
        return "#" * int(node.tag[1]) + " "
    return "- " if node.tag == "li" else ""


def _words(node: HtmlElement) -> str:
    """Return the text in a node, without scripts and the like."""
    parts = [node.text or ""]
    for child in node:
        if isinstance(child.tag, str) and child.tag not in LEFT_OUT:
            parts.append(f" {_words(child)} " if child.tag in BLOCKS | {"br"} else _words(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _escaped(text: str) -> str:
    """Return a line of text that Markdown shows as it is."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))
