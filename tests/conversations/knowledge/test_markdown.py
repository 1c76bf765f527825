"""Markdown: safe HTML, plain text, and passages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from conversations.knowledge import markdown
from conversations.knowledge.markdown import ATTRIBUTES, TAGS, passages, plain, render

BODY = """# Retours

Vous pouvez renvoyer un article *dans les 14 jours* :

- par la poste, avec [l'étiquette](https://example.com/etiquette)
- en boutique
  - à Lyon

| Pays | Délai |
|------|-------|
| France | 2 jours |

```
CODE-1
```
"""


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags_of(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.seen


def test_headings_begin_below_the_title_of_the_page() -> None:
    tags = [tag for tag, _attributes in tags_of(render("# One\n\n## Two\n\n###### Six"))]
    assert tags == ["h2", "h3", "h6"]
    tags = [tag for tag, _attributes in tags_of(render("### Three\n\n#### Four"))]
    assert tags == ["h2", "h3"]


def test_links_open_a_new_tab_without_a_way_back() -> None:
    [(_tag, attributes)] = [one for one in tags_of(render(BODY)) if one[0] == "a"]
    assert attributes == {
        "href": "https://example.com/etiquette",
        "target": "_blank",
        "rel": "noopener noreferrer",
    }


def test_a_picture_becomes_a_link() -> None:
    assert "<img" not in render("![a plan](https://elsewhere.example/plan.png)")
    assert ">a plan</a>" in render("![a plan](https://elsewhere.example/plan.png)")


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "![x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "<javascript:alert(1)>",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example/"onmouseover="alert(1))',
    "<svg/onload=alert(1)>",
    "<a hx-get='/desk/'>x</a>",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <iframe src=//x> |",
    "# <style>*{display:none}</style>",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_nothing_written_becomes_a_script(body: str) -> None:
    for tag, attributes in tags_of(render(body)):
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {"target", "rel"}
        address = (attributes.get("href") or "").lower()
        assert re.match(r"(https?:|mailto:|tel:|[^:]*$)", address), address


@pytest.mark.parametrize("body", HOSTILE)
def test_the_list_of_tags_holds_alone(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the parser let everything through."""
    lax = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    monkeypatch.setattr(lax, "validateLink", lambda _address: True)
    monkeypatch.setattr(markdown, "_parser", lambda: lax)
    test_nothing_written_becomes_a_script(body)


def test_html_is_shown_as_text() -> None:
    assert render("<b>x</b>") == "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"


def test_passages_are_what_can_answer() -> None:
    assert passages(BODY) == [
        "Vous pouvez renvoyer un article dans les 14 jours :\n"
        "– par la poste, avec l'étiquette\n– en boutique\n– à Lyon",
        "Pays · Délai",
        "France · 2 jours",
        "CODE-1",
    ]


def test_plain_text_has_headings_and_no_addresses() -> None:
    text = plain(BODY)
    assert text.startswith("Retours\nVous pouvez")
    assert "example.com" not in text
    assert not set("*#|[]`") & set(text)
