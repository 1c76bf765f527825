"""The text of an HTML e-mail, in the form of a plain one: quotes begin with ``>``, links retain
their address.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from itertools import chain
from urllib.parse import parse_qs, unquote, urlsplit

import lxml.html
from inscriptis import Inscriptis
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.model.config import ParserConfig
from lxml.etree import ParserError, iterwalk
from lxml.html import HtmlElement

LIMIT = 600_000
"""How many characters of HTML are read, not counting inline pictures."""

# The beginning and end of a quote while the tree becomes text: private-use characters.
BEGIN, END = "\ue000", "\ue001"

BLOCKS = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "center",
            "dd",
            "div",
            "dl",
            "dt",
            "fieldset",
        ),
        *(
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "main",
            "nav",
        ),
        *("ol", "p", "pre", "section", "table", "tr", "ul"),
    }
)
# What Outlook draws above the quoted e-mail in plain text.
RULE = "_" * 32
UNSEEN = "//head | //style | //script | //title | //template | //noscript | //svg | //object"

# What mail programs put around the quoted e-mail instead of a blockquote. From the second kind on,
# the quote is everything that follows.
AROUND = "//*[contains(concat(' ', @class), ' yahoo_quoted')]"
FROM_HERE = (
    "//*[contains(@id, 'divRplyFwdMsg') or contains(@id, 'appendonsend')"
    " or contains(@id, 'mail-editor-reference-message-container')]"
)
SIGNATURES = (
    "//*[contains(@class, 'gmail_signature') or contains(@class, 'moz-signature')"
    " or @id='Signature' or contains(@id, 'ms-outlook-mobile-signature')]"
)
# Outlook's own line above the quoted e-mail.
BORDER = re.compile(
    r"^\s*(?=.*border-top\s*:\s*solid\s+#(?:e1e1e1|b5c4df)\s+1\.0pt)(?=.*padding\s*:\s*3\.0pt)",
    re.IGNORECASE | re.DOTALL,
)

_DATA = re.compile(r"""data:[\w.+-]{1,60}/[\w.+-]{1,60};[^"'\s>)]*""", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}>", re.IGNORECASE)
_SAFE_LINK = re.compile(r"(?:^|\.)safelinks\.protection\.outlook\.com$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """``decorations`` are the ids of pictures that appear only in quotes and signatures."""

    text: str
    decorations: frozenset[str] = frozenset()


def text_of(html: str) -> str:
    """Return the text of an HTML document, or of something meant as one."""
    return read(html).text


def read(html: str) -> Page:
    """Return the text of an HTML document, and which of its pictures are decoration."""
    bare = _DATA.sub("data:", _DECLARATION.sub("", html.replace("\x00", "")))[:LIMIT]
    # An e-mail that contains these characters could hide its own words in a "quote".
    bare = bare.replace(BEGIN, "").replace(END, "")
    tree, is_whole = _tree(bare)
    if tree is None or not is_whole:
        return Page(_stripped(bare))
    for unseen in tree.xpath(UNSEEN):
        _drop(unseen)
    for link in tree.xpath("//a[@href]"):
        _show_address(link)
    for paragraph in tree.xpath("//p[starts-with(@class, 'MsoNormal') or @class='MsoPlainText']"):
        paragraph.tag = "div"  # Word's own paragraphs have no space between them,
        if not "".join(paragraph.itertext()).strip():
            paragraph.append(lxml.html.Element("br"))  # except for empty ones.
    quotes = _mark_quotes(tree)
    decorations = _pictures([*quotes, *tree.xpath(SIGNATURES)])
    # A Counter: what is shown once more outside the quotes stays.
    theirs = _pictures([tree]) - decorations
    return Page(_with_marks(_text(tree)), frozenset(decorations - theirs))


def _pictures(elements: Iterable[HtmlElement]) -> Counter[str]:
    """Count how often each picture that came with the e-mail is shown there."""
    by_picture: dict[HtmlElement, str] = {
        picture: unquote(str(picture.get("src"))[4:]).strip("<> ").lower()
        for element in elements
        for picture in element.xpath(".//img[starts-with(@src, 'cid:')]")
    }
    return Counter(by_picture.values())


def _tree(html: str) -> tuple[HtmlElement | None, bool]:
    """Return the document, and whether it is complete: too deep nesting is cut off."""
    # As bytes: an encoding that the document declares refers to bytes, which are text by now.
    parser = lxml.html.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (ParserError, ValueError):
        return None, False  # Only blanks and comments.
    too_deep = any("depth" in entry.message for entry in parser.error_log)
    return tree, not too_deep


def _stripped(html: str) -> str:
    """Return the text between the tags of a document without a tree, in one pass."""
    pieces: list[str] = []
    hidden = ""
    for number, piece in enumerate(html.split("<")):
        tag, closed, words = ("", ">", piece) if number == 0 else piece.partition(">")
        named = re.match(r"/?[a-z][a-z0-9]*|[!?]", tag, re.IGNORECASE) if number else None
        name = named[0].lower() if named else ""
        if hidden:
            hidden = "" if name == f"/{hidden}" else hidden
        elif number and not name:
            pieces.append(f"<{piece}")  # "2 < 3" is no tag
            continue
        elif name in {"script", "style", "head"}:
            hidden = name
        if not hidden:
            pieces.append("\n" if name.lstrip("/") in BLOCKS | {"br"} else "")
            pieces.append(words if closed else "")
    lines = unescape("".join(pieces)).replace("\xa0", " ").split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _show_address(link: HtmlElement) -> None:
    """Append ``<address>`` to a link, unless its text already shows it."""
    # A tree accepts no control characters, and they are unreadable.
    address = "".join(filter(str.isprintable, unwrapped(str(link.get("href")).strip())))
    shown = " ".join("".join(link.itertext()).split())
    if not shown or not re.match(r"(?:https?|mailto|tel|ftp):", address, re.IGNORECASE):
        return
    bare = re.sub(r"^(?:https?://|mailto:|tel:)", "", address, flags=re.IGNORECASE).rstrip("/")
    if bare.casefold() in re.sub(r"\s", "", shown).casefold():
        return
    suffix = f" <{address}>"
    if len(link):
        link[-1].tail = (link[-1].tail or "") + suffix
    else:
        link.text = (link.text or "") + suffix


def unwrapped(address: str) -> str:
    """Return the target of Outlook's "safe link"."""
    try:
        parts = urlsplit(address)
        if _SAFE_LINK.search(parts.hostname or ""):
            return parse_qs(parts.query).get("url", [address])[0]
    except ValueError:
        pass  # Not a URL: shown as it is.
    return address


def _mark_quotes(tree: HtmlElement) -> list[HtmlElement]:
    quotes: list[HtmlElement] = list(chain(tree.xpath("//blockquote"), tree.xpath(AROUND)))
    borders = [one for one in tree.xpath("//div[@style]") if BORDER.search(one.get("style"))]
    for head in chain(tree.xpath(FROM_HERE), borders):
        quote = _from_here(head)
        if quote is not None:
            quotes.append(quote)
    for quote in quotes:
        quote.tag = "div"
        begin, end = lxml.html.Element("div"), lxml.html.Element("div")
        begin.text, end.text = BEGIN, END
        begin.tail, quote.text = quote.text, None
        quote.insert(0, begin)
        quote.append(end)
    return quotes


def _from_here(head: HtmlElement) -> HtmlElement | None:
    """Wrap ``head`` and all that follows in one element."""
    if any(parent.tag == "quoted" for parent in head.iterancestors()):
        return None
    parent = head.getparent()
    # The line may be alone in a box: then what follows the box is meant.
    while parent is not None and len(parent) == 1 and parent.tag == "div" and not parent.text:
        head, parent = parent, parent.getparent()
    if parent is None or head.tag == "body":
        return None
    # An element of our own name: its children must not be taken for another quote.
    quote, rule = lxml.html.Element("quoted"), lxml.html.Element("div")
    following = list(head.itersiblings())
    parent.replace(head, quote)
    rule.text = RULE
    quote.extend([rule, head, *following])
    return quote


def _text(tree: HtmlElement) -> str:
    try:
        return str(Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text())
    except RecursionError:
        return _flat(tree)


def _flat(tree: HtmlElement) -> str:
    """Return the text of a tree that is too deep for a recursive function."""
    pieces: list[str] = []
    for event, element in iterwalk(tree, events=("start", "end")):
        if element.tag in BLOCKS or element.tag == "br":
            pieces.append("\n")
        words = element.text if event == "start" else element.tail
        pieces.append(re.sub(r"\s+", " ", words or ""))
    return re.sub(r"\n\s*\n+", "\n\n", "".join(pieces))


def _with_marks(text: str) -> str:
    depth, lines = 0, []
    for line in text.replace("\xa0", " ").split("\n"):
        begins, ends = line.count(BEGIN), line.count(END)
        words = line.replace(BEGIN, "").replace(END, "").strip()
        depth += begins
        if words or not (begins or ends):
            lines.append(f"{'>' * min(depth, 9)} {words}".strip() if depth else words)
        depth = max(0, depth - ends)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
