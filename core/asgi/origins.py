"""Origin checks: raw endpoints and sockets accept only pages of this host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

LOCAL = [".localhost", "127.0.0.1", "[::1]"]


def is_our_host(host: str) -> bool:
    """Return whether ``host`` (``name[:port]``) belongs to this installation."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS or LOCAL)


def is_own(origin: str, host: str) -> bool:
    """Return whether ``origin`` is ``host`` itself, port included."""
    return host_of(origin) == host


def host_of(address: str) -> str:
    """Return ``host[:port]`` of an address or an origin, or "" if it has none or is malformed."""
    try:
        return urlsplit(address).netloc
    except ValueError:  # such as "http://["
        return ""


class OwnOriginOnly:
    """An ASGI wrapper that refuses sockets opened by pages of another origin or of none (N13)."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        is_clean = "\0" not in headers.get(b"cookie", "")  # PostgreSQL refuses NUL in session keys.
        if is_clean and is_our_host(host) and is_own(headers.get(b"origin", ""), host):
            await self.application(scope, receive, send)
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.close", "code": 4403})
