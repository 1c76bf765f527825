"""Headers of an e-mail, decoded for people, however they were written. Nothing here fails.

Python's own parser of addresses refuses what mail programs really send (a comma in a name without
quotes, an address as its own display name), so the few rules that matter are here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

import idna

from messenger.mail.charsets import decode
from messenger.mail.transfer import as_bytes

ADDRESS = re.compile(r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"]+")
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|[,;]|[^",;<]+|["<]')


def raw_values(message: Message, name: str) -> list[str]:
    """Return the values of a header as sent, with bytes beyond ASCII decoded."""
    wanted = name.lower()
    return [_unfolded(str(value)) for key, value in message.raw_items() if key.lower() == wanted]


def value(message: Message, name: str) -> str:
    """Return the first value of a header, decoded; empty if there is none."""
    return next((decoded(one) for one in raw_values(message, name)), "")


def decoded(raw: str) -> str:
    """Decode the encoded words of a header."""
    try:
        pieces = decode_header(raw)
    except (ValueError, HeaderParseError):
        return raw
    return "".join(
        piece if isinstance(piece, str) else _text(piece, charset) for piece, charset in pieces
    )


def _text(piece: bytes, charset: str | None) -> str:
    # Without a charset this is text between encoded words. Python returns it in an encoding of its
    # own, which escapes characters beyond Latin-1. It does not escape backslashes: "C:\users" in a
    # file name looks like an incomplete escape.
    if charset is not None:
        return decode(piece, charset)
    try:
        return piece.decode("raw-unicode-escape")
    except UnicodeDecodeError:
        return decode(piece, None)


def _unfolded(raw: str) -> str:
    text = decode(as_bytes(raw), None)
    return re.sub(r"\r?\n[ \t]?", " ", text.replace("\x00", "")).strip()


def addresses(values: list[str]) -> list[str]:
    """Return the addresses in headers, each once, normalized for comparison."""
    ids: list[str] = []
    for raw in values[:20]:
        text = raw[:10_000]
        if "@" not in text:
            text = decoded(text)  # encoded as a whole, against the standard
        ids.extend(normalized(address) for address in _in_a_list(text))
    return list(dict.fromkeys(ids))


def _in_a_list(text: str) -> Iterator[str]:
    """Yield addresses: text in angle brackets is one, and makes the text before it a name."""
    bare = ""
    for piece in _PIECES.findall(_without_comments(text)):
        if piece.startswith("<") and piece.endswith(">"):
            yield from ADDRESS.findall(piece)[:1]
            bare = ""
        elif piece in {",", ";"}:
            yield from ADDRESS.findall(bare)[:1]
            bare = ""
        elif not piece.startswith('"'):
            bare += piece
    yield from ADDRESS.findall(bare)[:1]


def _without_comments(text: str) -> str:
    # One level is enough: programs write a name or a note there, and never nest.
    return re.sub(r"\([^()]*\)", " ", text)


def normalized(address: str) -> str:
    """Normalize an address for comparison: lower case, no invisible characters, ASCII domain."""
    seen = "".join(one for one in address if unicodedata.category(one) not in {"Cf", "Cc"})
    local, at, domain = unicodedata.normalize("NFKC", seen).strip().rpartition("@")
    return f"{local.lower()}{at}{_domain(domain)}"


def _domain(domain: str) -> str:
    name = domain.strip().rstrip(".").casefold()
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return name
