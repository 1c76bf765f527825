"""Which servers outside the product may call: none in a private network, none at an odd port, but
those that the installation allows (N8).

Checked when an address is saved, and again before each request: a name may lead elsewhere by then.
So the request goes to the very internet address that was checked.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from core import web_addresses

PORTS = frozenset({80, 443, 8000, 8080, 8443})
DEFAULT_PORTS = {"http": 80, "https": 443}
# Addresses of IPv6 that contain one of IPv4, which is what is called in the end (RFC 6052, 3056).
NAT64, SIX_TO_FOUR = ip_network("64:ff9b::/96"), ip_network("2002::/16")
NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*")


class Forbidden(Exception):
    """The product may not call this address."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Allowed servers: those of a network, or one by its name; without a port, at the usual ones.

    A name is trusted wherever its name server leads.
    """

    network: IPv4Network | IPv6Network | None = None
    name: str = ""
    port: int | None = None

    def covers(self, name: str, address: IPv4Address | IPv6Address, port: int) -> bool:
        if port != self.port and (self.port is not None or port not in PORTS):
            return False
        if self.network is None:
            return name == self.name
        return address in self.network


# What an installation allows beside public servers.
AllowList = tuple[Entry, ...]


def read(words: Iterable[str]) -> AllowList:
    """Return the entries of an allow-list: ``10.1.0.0/16``, ``10.1.2.3:11434``, ``llm.internal``,
    ``llm.internal:11434``, ``[fd00::1]:11434``. Raise ``ValueError`` with the first that is none.
    """
    return tuple(_entry(word) for word in words)


def _entry(word: str) -> Entry:
    try:
        return Entry(network=ip_network(word))
    except ValueError:
        name, port = split(word.lower(), 0)
    if not 0 <= port <= 65535 or (not port and ":" in word):
        raise ValueError(word)
    try:
        return Entry(network=ip_network(ip_address(name)), port=port or None)
    except ValueError:
        # A name of digits only would be an address in an old spelling.
        if not NAME.fullmatch(name) or not re.search("[a-z]", name.rpartition(".")[2]):
            raise ValueError(word) from None
    return Entry(name=name, port=port or None)


def check(url: str, *, allowed: AllowList = ()) -> str:
    """Return the internet address to call for ``url``; raise ``Forbidden`` unless the name server
    leads to allowed addresses only."""
    parsed = web_addresses.parse(url)
    if parsed is None:
        raise Forbidden(url)
    name, port = split(parsed.host, DEFAULT_PORTS[parsed.scheme])
    try:
        resolved = socket.getaddrinfo(name, port, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise Forbidden(url) from None
    addresses = [str(one[4][0]) for one in resolved]
    if not addresses or not all(_may_be_called(name, one, port, allowed) for one in addresses):
        raise Forbidden(url)
    return addresses[0]


def _may_be_called(name: str, address: str, port: int, allowed: AllowList) -> bool:
    # After "%" comes the interface of a link-local address.
    parsed = ip_address(address.partition("%")[0])
    real = (_within(parsed) or parsed) if isinstance(parsed, IPv6Address) else parsed
    if any(entry.covers(name, real, port) for entry in allowed):
        return True
    return port in PORTS and is_public(address)


def is_public(address: str) -> bool:
    """Return whether an internet address is one that everybody can reach."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        parsed = _within(parsed) or parsed
    # Python counts some multicast addresses as global.
    return parsed.is_global and not parsed.is_multicast


def _within(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return None


def split(host: str, default: int) -> tuple[str, int]:
    """Return the name, without the brackets of IPv6, and the port of ``name[:port]``."""
    name, _colon, port = host.rpartition(":")
    if name and port.isdecimal() and not host.endswith("]"):
        return name.strip("[]"), int(port)
    return host.strip("[]"), default
