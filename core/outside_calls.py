"""The HTTP client for servers outside the product: providers, calls of bots and webhooks.

It calls the internet address that was checked (``core.outside_servers``), whatever the name server
says next, follows no redirect, and bounds the whole call in time and in size. A timeout of a socket
bounds the time between two bytes only, so a server that drips would hold its caller for hours.
"""

from __future__ import annotations

import io
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any
from urllib.parse import quote

import certifi
from django.conf import settings

from core import outside_servers, web_addresses
from core.outside_servers import AllowList

CONNECT_SECONDS = 3.0
PIECE = 8192
UNQUOTED = "%/?:@!$&'()*+,;=~[]"


class Failed(Exception):
    """There is no answer. The text says why, and contains nothing from the server."""


class TooSlow(Failed):
    """The call was not over in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. ``content`` is cut at the caller's limit."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class _Bounded(io.RawIOBase):
    """Reads from a connection until the moment at which the whole call must be over."""

    def __init__(self, raw: Any, connection: _Connection) -> None:
        self._raw, self._connection = raw, connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.wait_for_rest()
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, bounds: _Connection, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        # The base class reads everything through ``fp``, which it does not document. Tests with
        # servers that drip fail if that changes.
        whole: Any = self.fp
        self.fp = io.BufferedReader(_Bounded(whole.detach(), bounds))


class _Connection(HTTPConnection):
    """A connection to an address that was checked; ``name`` is whose certificate it must be."""

    def __init__(self, address: str, port: int, *, name: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(address, port, timeout=CONNECT_SECONDS)
        self._name, self._tls = name, tls
        self.give_up_at = 0.0

    def connect(self) -> None:
        super().connect()
        if self._tls is not None:
            # ``HTTPSConnection`` would check the certificate against the internet address.
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)

    def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:  # type: ignore[override]
        return _Response(sock, *args, bounds=self, **kwargs)

    def wait_for_rest(self) -> None:
        """Let the next read or write take what is left of the call's time; raise if nothing is."""
        left = self.give_up_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self.sock is not None:
            self.sock.settimeout(left)


class Server:
    """The server behind one address. Its connection stays open from one call to the next, for one
    thread. Raises ``outside_servers.Forbidden`` if the address may not be called.

    ``allowed`` are servers in the private network that may be called beside public ones.
    """

    def __init__(self, url: str, *, allowed: AllowList = ()) -> None:
        parsed = web_addresses.parse(url)
        if parsed is None:
            raise outside_servers.Forbidden(url)
        name, port = outside_servers.split(
            parsed.host, outside_servers.DEFAULT_PORTS[parsed.scheme]
        )
        free = settings.PROVIDERS_MAY_BE_PRIVATE
        address = name if free else outside_servers.check(url, allowed=allowed)
        tls = _authorities() if parsed.scheme == "https" else None
        self._host = _in_ascii(parsed.host)
        self._target = _target_of(parsed)
        self._connection = _Connection(address, port, name=name, tls=tls)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def send(
        self,
        method: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str],
        seconds: float,
        limit: int,
    ) -> Answer:
        """Make a call that ends after ``seconds``; read at most ``limit`` bytes of the answer."""
        connection = self._connection
        connection.give_up_at = time.monotonic() + seconds
        connection.timeout = min(CONNECT_SECONDS, seconds)
        sent = {"Host": self._host, "User-Agent": "Causerie", **headers}
        try:
            connection.wait_for_rest()
            # With b"" a GET would announce a body of length 0.
            connection.request(method, self._target, body=body or None, headers=sent)
            connection.wait_for_rest()
            response = connection.getresponse()
            content, is_cut = _read(response, limit)
        except TimeoutError:
            connection.close()
            raise TooSlow("the answer took too long") from None
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            raise Failed(f"no connection ({type(error).__name__})") from None
        if is_cut:
            connection.close()  # the rest of this answer would be read as the next one
        return Answer(response.status, dict(response.headers), content, is_cut)


def check(url: str, *, allowed: AllowList = ()) -> None:
    """Raise ``outside_servers.Forbidden`` if an address may not be called; when it is saved."""
    if not settings.PROVIDERS_MAY_BE_PRIVATE:
        outside_servers.check(url, allowed=allowed)


def _read(response: HTTPResponse, limit: int) -> tuple[bytes, bool]:
    content = b""
    # read1: what has arrived. Others wait for a whole piece.
    while piece := response.read1(PIECE):
        content += piece
        if len(content) > limit:
            return content[:limit], True
    if response.length:
        raise IncompleteRead(content, response.length)
    response.close()  # which frees the connection for the next call
    return content, False


def _target_of(address: web_addresses.WebAddress) -> str:
    rest = quote(address.rest.partition("#")[0], safe=UNQUOTED)
    return rest if rest.startswith("/") else f"/{rest}"


def _in_ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise outside_servers.Forbidden(host) from None


@lru_cache(maxsize=1)
def _authorities() -> ssl.SSLContext:
    """Trust the usual authorities and those of this machine, such as a company's own."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
