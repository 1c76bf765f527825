"""Markdown as HTML and as plain text. Whoever wrote it, the HTML contains no script (N4).

markdown-it escapes HTML in the source and refuses dangerous links; nh3 then admits only the tags
that Markdown makes, so that a fault of one does not open the door.
"""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "a"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
    *("h2", "h3", "h4", "h5", "h6"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"https", "http", "mailto", "tel"}


def render(body: str) -> SafeString:
    """Return safe HTML. Its headings begin at ``h2``, links open a new tab, and pictures are
    links."""
    parser = _parser()
    tokens = parser.parse(body)
    # The title of the page is its only h1; the largest heading of the text comes next.
    ranks = [HEADINGS.index(token.tag) for token in tokens if token.tag in HEADINGS]
    for token in tokens:
        if token.tag in HEADINGS:
            token.tag = HEADINGS[min(HEADINGS.index(token.tag) - min(ranks) + 1, 5)]
        if token.children:
            token.children = [one for child in token.children for one in _linked(child)]
    html = parser.renderer.render(tokens, parser.options, {})
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(cleaned)


def plain(body: str) -> str:
    """Return the text without Markdown, one block in a line."""
    return "\n".join(text for _is_heading, text in _blocks(body))


def passages(body: str) -> list[str]:
    """Return the blocks of a text that can answer a question, without Markdown: paragraphs, whole
    lists with the paragraph that ends in a colon before them, rows of tables, code."""
    return [text for _heading, text in sections(body)]


def sections(body: str) -> list[tuple[str, str]]:
    """Return each passage after the heading that it stands under."""
    found: list[tuple[str, str]] = []
    heading = ""
    for is_heading, text in _blocks(body):
        if is_heading:
            heading = text
        else:
            found.append((heading, text))
    return found


def _blocks(body: str) -> list[tuple[bool, str]]:
    blocks: list[tuple[bool, str]] = []
    depth, is_heading = 0, False
    row: list[str] | None = None
    for token in _parser().parse(body):
        if token.type.endswith("_list_open"):
            depth += 1
            if depth == 1 and not (blocks and blocks[-1][1].endswith(":")):
                blocks.append((False, ""))
        elif token.type.endswith("_list_close"):
            depth -= 1
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            blocks.append((False, " · ".join(filter(None, row or []))))
            row = None
        elif token.type.startswith("heading_"):
            is_heading = token.type == "heading_open"
        elif token.type in ("inline", "fence", "code_block"):
            text = _text(token)
            if row is not None:
                row.append(text)
            elif depth:
                blocks[-1] = (False, f"{blocks[-1][1]}\n– {text}".strip())
            else:
                blocks.append((is_heading, text))
    return [block for block in blocks if block[1]]


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _text(token: Token) -> str:
    if token.children is None:
        return token.content.strip()
    parts = []
    for child in token.children:
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type in ("text", "code_inline", "image"):
            parts.append(child.content)
    return "".join(parts).strip()


def _linked(token: Token) -> list[Token]:
    """Return a link for a picture: pages of articles load nothing from other servers."""
    if token.type != "image":
        return [token]
    opening = Token("link_open", "a", 1, attrs={"href": str(token.attrGet("src") or "")})
    text = Token("text", "", 0, content=token.content or str(token.attrGet("src") or ""))
    return [opening, text, Token("link_close", "a", -1)]
