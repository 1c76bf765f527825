"""Web addresses from outside, parsed once and rebuilt from their parts.

Browsers and Python read some addresses differently: in ``https://evil.example\\@shop.example/`` a
browser goes to evil.example, and Python finds shop.example. So what could be read in two ways is no
address here, and what is stored or linked is rebuilt from the host that was checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

SCHEMES = ("http", "https")
HOST = re.compile(r"[^\s/?#@:\\\[\]%<>\"'`^{|}]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An http or https address; ``host`` is ``name[:port]`` in lower case."""

    scheme: str
    host: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.rest}"

    @property
    def without_fragment(self) -> str:
        return f"{self.scheme}://{self.host}{self.rest.partition('#')[0]}"


def parse(text: object) -> WebAddress | None:
    """Return the address in ``text``, or ``None`` if there is none that everybody reads alike: no
    backslash, user, space, control or invisible character."""
    if not isinstance(text, str) or not text.isprintable() or "\\" in text or " " in text:
        return None
    try:
        parts = urlsplit(text)
        name, port = parts.hostname or "", parts.port
    except ValueError:  # such as "http://[" or a port of letters
        return None
    if parts.scheme not in SCHEMES or "@" in parts.netloc:
        return None
    if ":" in name:
        name = f"[{name}]"
    if not HOST.fullmatch(name):
        return None
    host = name if port is None else f"{name}:{port}"
    # Cut from the text: composed from its parts, an address would lose an empty query ("/?").
    rest = text[text.index("//") + 2 + len(parts.netloc) :]
    return WebAddress(parts.scheme, host, rest)


def host_of(text: object) -> str:
    """Return ``name[:port]`` of an address or an origin, or "" if it is none."""
    address = parse(text)
    return address.host if address else ""


def origin_of(text: object) -> str:
    """Return ``scheme://name[:port]`` of an address, or "" if it is none."""
    address = parse(text)
    return f"{address.scheme}://{address.host}" if address else ""
