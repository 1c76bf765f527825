"""Addresses of pages, and the patterns that name them: pure text, in time linear in the address.

A pattern is compared with the whole address, whatever the case; ``*`` stands for any characters.

- ``/cart/*`` begins with a slash: the path, on any host. ``/cart`` is also ``/cart/``.
- ``www.example.com/lamps/*``: host and path; ``www.example.com`` alone: every page of that host.
- Only a pattern with a ``?`` sees the query, only one with a ``#`` the fragment.
- ``https://`` and a port that the pattern does not name make no difference; neither does how a
  letter is written (``caf%C3%A9``, an international domain name in its ``xn--`` form).
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
    """A page's address, its letters made alike; ``host`` has the port where one is named."""

    host: str
    bare_host: str
    path: str
    query: str
    fragment: str

    @classmethod
    def of(cls, url: str) -> Address | None:
        """``None`` where ``url`` is no address of a web page."""
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
        """The path as patterns may write it: with and without a slash at its end."""
        rest = f"?{self.query}" if query else ""
        rest += f"#{self.fragment}" if fragment else ""
        yield f"{self.path}/{rest}"
        if self.path:
            yield f"{self.path}{rest}"

    def matches(self, pattern: str) -> bool:
        """Whether ``pattern`` names this page."""
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
    """A pattern without what makes no difference, and its pieces between the stars."""
    for scheme in WEB:
        pattern = pattern.removeprefix(f"{scheme}://")
    if pattern.startswith(("?", "#")):
        pattern = ANY + pattern
    return pattern, [_alike(piece) for piece in pattern.split(ANY)]


def _alike(text: str) -> str:
    """Escapes, ``xn--`` labels, case and composed letters, all in one form."""
    if "xn--" in text.lower():
        text = ".".join(map(_label, text.split(".")))
    if not text.isascii() or "%" in text:
        text = normalize("NFC", unquote(text))
        return normalize("NFC", text.casefold())
    return text.lower()


def _label(label: str) -> str:
    """One label of a host as people read it: ``xn--caf-dma`` is ``café``."""
    if label[:4].lower() != "xn--":
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _fits(pieces: list[str], text: str) -> bool:
    """Whether ``text`` is the pieces in their order, with anything between two of them."""
    first, *rest = pieces
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return text.endswith(last) and len(text) - len(last) >= at
