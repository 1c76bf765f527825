"""Web pages as articles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conversations.knowledge import markdown, web_pages

PAGE = b"""<!doctype html><html lang="en-GB"><head><title>Returns - Shop</title></head><body>
<nav><a href="/">Home</a></nav><header>Menu</header>
<main><h1>Returns</h1><p>Send it <b>back</b> within 14&nbsp;days.</p>
<h2>How</h2><ul><li>Print the label</li><li>Drop it <br>off</li></ul>
<table><tr><th>Country</th><th>Days</th></tr><tr><td>Spain</td><td>3</td></tr></table>
<script>alert(1)</script><style>p{}</style><form><label>Search</label></form>
<div>Loose words <span>in a row</span></div></main>
<footer>Imprint</footer></body></html>"""


def test_the_main_text_becomes_markdown() -> None:
    page = web_pages.read(PAGE)
    assert page is not None
    assert (page.title, page.language) == ("Returns", "en-gb")
    assert page.body.split("\n\n") == [
        "Send it back within 14 days.",
        "## How",
        "- Print the label",
        "- Drop it off",
        "Country · Days",
        "Spain · 3",
        "Loose words in a row",
    ]


def test_without_a_heading_the_title_of_the_window_is_taken() -> None:
    page = web_pages.read(b"<title>Delivery  times</title><p>In two days.</p>")
    assert page == web_pages.WebPage("Delivery times", "In two days.", "")


def test_pages_without_text_are_none() -> None:
    assert web_pages.read(b"") is None
    assert web_pages.read(b"<title>Only a title</title>") is None
    assert web_pages.read(b"<p>No title</p>") is None
    assert web_pages.read(b"<div>" * 5000 + b"deep") is None


def test_what_looks_like_markdown_is_shown_as_it_is() -> None:
    page = web_pages.read(b"<title>T</title><p>2 * 3 * 4, [x](javascript:y) and &lt;b&gt;</p>")
    assert page is not None
    assert markdown.plain(page.body) == "2 * 3 * 4, [x](javascript:y) and <b>"
    assert "<b>" not in markdown.render(page.body)


@given(st.binary(max_size=300))
def test_no_page_breaks_the_import(html: bytes) -> None:
    page = web_pages.read(html)
    assert page is None or (page.title and page.body)
