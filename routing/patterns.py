"""Addresses of pages, and patterns for them: pure text, in time linear in the address.

A pattern is compared with the whole address, ignoring case; ``*`` stands for any characters.

- ``/cart/*`` begins with a slash: the path, on any host. ``/cart`` is also ``/cart/``.
- ``www.example.com/lamps/*``: host and path; ``www.example.com`` alone: every page of that host.
- The query counts only for a pattern with a ``?``, the fragment only for one with a ``#``.
- ``https://`` and a port that the pattern does not name make no difference; nor does the spelling
  of a letter (``caf%C3%A9``, an international domain name in its ``xn--`` form).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

ANY = "*"
WEB = ("http", "https")


@dataclass(frozen=True, slots=True)
class Address:
    """A page's address, normalized; ``host`` has the port if one is given."""

    host: str
    bare_host: str
    path: str
    query: str
    fragment: str

    @classmethod
    def of(cls, url: str) -> Address | None:
        """Return ``None`` if ``url`` is not the address of a web page."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme not in WEB or not host:
            return None
        bare_host = _alike(host)
        return cls(
            host=f"{bare_host}:{port}" if port else bare_host,
            bare_host=bare_host,
            path=_alike(parts.path).removesuffix("/"),
            query=_alike(parts.query),
            fragment=_alike(parts.fragment),
        )

    def _texts(self, *, query: bool, fragment: bool) -> Iterator[str]:
        """Yield the path as patterns may write it: with and without a final slash."""
        rest = f"?{self.query}" if query else ""
        rest += f"#{self.fragment}" if fragment else ""
        yield f"{self.path}/{rest}"
        if self.path:
            yield f"{self.path}{rest}"

    def matches(self, pattern: str) -> bool:
        """Return whether ``pattern`` matches this page."""
        pattern, pieces = _read(pattern)
        texts = list(self._texts(query="?" in pattern, fragment="#" in pattern))
        if pattern.startswith("/"):
            return any(_fits(pieces, text) for text in texts)
        hosts = {self.host, self.bare_host}
        if "/" not in pattern and any(_fits(pieces, host) for host in hosts):
            return True
        return any(_fits(pieces, host + text) for host in hosts for text in texts)


@lru_cache(maxsize=10_000)
def _read(pattern: str) -> tuple[str, list[str]]:
    """Return a pattern without the parts that make no difference, and its pieces between stars."""
    for scheme in WEB:
        pattern = pattern.removeprefix(f"{scheme}://")
    if pattern.startswith(("?", "#")):
        pattern = ANY + pattern
    return pattern, [_alike(piece) for piece in pattern.split(ANY)]


def _alike(text: str) -> str:
    """Normalize escapes, ``xn--`` labels, case and composed letters."""
    if "xn--" in text.lower():
        text = ".".join(map(_label, text.split(".")))
    if not text.isascii() or "%" in text:
        text = normalize("NFC", unquote(text))
        return normalize("NFC", text.casefold())
    return text.lower()


def _label(label: str) -> str:
    """Decode one label of a host: ``xn--caf-dma`` is ``café``."""
    if label[:4].lower() != "xn--":
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _fits(pieces: list[str], text: str) -> bool:
    """Return whether ``text`` is the pieces in order, with anything between them."""
    first, *rest = pieces
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        # The earliest place is enough: it leaves the most for the pieces that follow.
        begin = text.find(piece, at)
        if begin < 0:
            return False
        at = begin + len(piece)
    return text.endswith(last) and len(text) - len(last) >= at
