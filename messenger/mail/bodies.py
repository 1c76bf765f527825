"""Separation of the text and the files of an e-mail.

Plain text is preferred to HTML only inside one ``multipart/alternative``, whose parts say the same.
Bodies of a ``multipart/mixed`` belong together in their order. An attached e-mail is a file, never
text of the sender.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

from messenger.mail import files, html_text
from messenger.mail.charsets import decode
from messenger.mail.files import File
from messenger.mail.flowed import rejoin
from messenger.mail.transfer import content

PARTS = 200
DEPTH = 30
TEXT_LIMIT = 200_000
"""How many characters of an e-mail are read; its file has them all."""

# The names that Exchange gives to bodies below a picture.
DISGUISED = re.compile(r"ATT\d{3,8}\.(?:txt|html?)", re.IGNORECASE)
_ARMOUR = re.compile(
    r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[\w-]+:[^\n]*\n)*\n?(.*?)\n"
    r"-----BEGIN PGP SIGNATURE-----.*?(?:-----END PGP SIGNATURE-----|\Z)",
    re.DOTALL,
)


@dataclass(slots=True)
class Content:
    """The content of an e-mail: the texts with their quotes, and the files."""

    texts: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    parts: list[Message] = field(default_factory=list)
    """The parts that the files are, in their order."""
    is_cut: bool = False
    """Whether there is more text than was read."""

    @property
    def text(self) -> str:
        return "\n\n".join(self.texts)


@dataclass(slots=True)
class _Walk:
    """One walk through an e-mail: it counts parts, and judges pictures once all HTML is read."""

    left: int = PARTS
    is_cut: bool = False
    decorations: set[str] = field(default_factory=set)
    others: list[Message] = field(default_factory=list)
    asides: list[Message] = field(default_factory=list)


def read(message: Message) -> Content:
    """Return the texts and files of an e-mail."""
    walk = _Walk()
    texts = _distinct(_texts(message, walk, DEPTH))
    if not texts:  # Without a body, texts that came as files are the body.
        texts = _distinct(_text(part, walk) for part in walk.asides)
        walk.others = [part for part in walk.others if part not in walk.asides]
    decorations = frozenset(walk.decorations)
    parts = [
        part
        for part in walk.others
        if not files.is_added(part) and not files.is_decoration(part, decorations)
    ]
    attached = [File(files.name_of(part), part.get_content_type()) for part in parts]
    return Content(texts, attached, parts, walk.is_cut or walk.left <= 0)


def _distinct(texts: Iterator[str]) -> list[str]:
    """Return non-empty texts, each once: some programs send one text twice, side by side."""
    distinct: dict[str, str] = {}
    for text in texts:
        words = "".join(text.split())
        if words:
            distinct.setdefault(words, text)
    return list(distinct.values())


def _texts(part: Message, walk: _Walk, depth: int) -> Iterator[str]:
    walk.left -= 1
    if walk.left < 0 or depth < 0:
        walk.is_cut = True
        return
    kind = part.get_content_type()
    # For a leaf this would decode the text, which fails on Python codecs that are no charsets.
    payload = part.get_payload() if part.is_multipart() else []
    inner = [one for one in payload if isinstance(one, Message)]
    if not part.is_multipart():
        yield from _leaf(part, kind, walk)
    elif kind == "multipart/alternative":
        yield _alternative(inner, walk, depth)
    elif part.get_content_maintype() != "multipart":
        walk.others.append(part)  # message/rfc822 and similar
    elif kind == "multipart/signed":
        # The second part is the signature.
        for child in inner[:1]:
            yield from _texts(child, walk, depth - 1)
    else:
        for child in inner:
            yield from _texts(child, walk, depth - 1)


def _alternative(parts: list[Message], walk: _Walk, depth: int) -> str:
    """Return the plain text, unless it is only a stub for the HTML beside it."""
    plain, rich = "", ""
    for part in parts:
        text = "\n\n".join(_distinct(_texts(part, walk, depth - 1)))
        if part.get_content_type() == "text/plain":
            plain = plain or text
        elif part.get_content_type() not in {"text/calendar", "text/x-amp-html"}:
            rich = text or rich
    is_excuse = len(rich.split()) > 2 * len(plain.split()) + 10
    return rich if not plain.strip() or is_excuse else plain


def _leaf(part: Message, kind: str, walk: _Walk) -> Iterator[str]:
    name = files.name_of(part)
    is_text = part.get_content_maintype() in {"text", "multipart"}  # or parts without a boundary
    is_words = is_text and kind not in {"text/calendar", *files.ADDED_TYPES}
    is_attached = bool(name) or part.get_content_disposition() == "attachment"
    if is_words and (not is_attached or DISGUISED.fullmatch(name)):
        yield _text(part, walk)
        return
    walk.others.append(part)
    if is_words and part.get_content_disposition() != "attachment":
        walk.asides.append(part)


def _text(part: Message, walk: _Walk) -> str:
    raw = content(part)
    is_html = part.get_content_type() == "text/html"
    text = decode(raw, _parameter(part, "charset"), is_html=is_html)
    if is_html:
        page = html_text.read(text)
        walk.decorations |= page.decorations
        walk.is_cut |= len(text) > html_text.LIMIT
        return page.text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    walk.is_cut |= len(text) > TEXT_LIMIT
    text = text[:TEXT_LIMIT]
    if _parameter(part, "format").lower() == "flowed":
        text = rejoin(text, delete_space=_parameter(part, "delsp").lower() == "yes")
    return _without_armour(text)


def _without_armour(text: str) -> str:
    """Remove an inline PGP signature and its header from a text."""
    if "-----BEGIN PGP SIGNED MESSAGE-----" not in text:
        return text
    # RFC 4880, section 7.1: signed lines that begin with a dash are marked by another one.
    return _ARMOUR.sub(lambda match: re.sub(r"^- ", "", match[1], flags=re.MULTILINE), text)


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name, "")
    except (ValueError, LookupError, TypeError):
        return ""  # An unreadable header has no parameters.
    return str(value[2] if isinstance(value, tuple) else value or "").strip()
