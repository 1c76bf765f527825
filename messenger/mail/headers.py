"""Headers of a mail as people would read them, however they were written. Nothing here fails.

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
    """The values of a header as they were sent, bytes beyond ASCII as the text that they are."""
    wanted = name.lower()
    return [_unfolded(str(value)) for key, value in message.raw_items() if key.lower() == wanted]


def value(message: Message, name: str) -> str:
    """The first value of a header, decoded; empty where there is none."""
    return next((decoded(one) for one in raw_values(message, name)), "")


def decoded(raw: str) -> str:
    """A header with its encoded words made readable."""
    try:
        pieces = decode_header(raw)
    except (ValueError, HeaderParseError):
        return raw
    return "".join(
        piece if isinstance(piece, str) else _text(piece, charset) for piece, charset in pieces
    )


def _text(piece: bytes, charset: str | None) -> str:
    # Without a charset it is text between encoded words; Python hands it out in an encoding of its
    # own, which escapes what is beyond Latin-1.
    return piece.decode("raw-unicode-escape") if charset is None else decode(piece, charset)


def _unfolded(raw: str) -> str:
    text = decode(as_bytes(raw), None)
    return re.sub(r"\r?\n[ \t]?", " ", text.replace("\x00", "")).strip()


def addresses(values: list[str]) -> list[str]:
    """The addresses that headers name, each once, in the form in which they are compared."""
    found: list[str] = []
    for raw in values[:20]:
        text = raw[:10_000]
        if "@" not in text:
            text = decoded(text)  # encoded as a whole, against the rules
        found.extend(normalized(address) for address in _in_a_list(text))
    return list(dict.fromkeys(found))


def _in_a_list(text: str) -> Iterator[str]:
    """What stands in angle brackets is an address, and makes a name of what is before it."""
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
    return re.sub(r"\([^()]*\)", " ", text)


def normalized(address: str) -> str:
    """An address in the one form in which two are compared: small letters, no invisible ones, the
    domain in ASCII."""
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
