"""Origin checks: which pages may send requests and open sockets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.translation import gettext as _

from core.rejection import Rejected
from core.web_addresses import host_of

logger = logging.getLogger(__name__)

LOCAL = [".localhost", "127.0.0.1", "[::1]"]


def is_our_host(host: str) -> bool:
    """Return whether ``host`` (``name[:port]``) belongs to this installation."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS or LOCAL)


def is_own(origin: str, host: str) -> bool:
    """Return whether ``origin`` is ``host`` itself, port included."""
    # An unreadable origin and a missing host are both "", and no match.
    return host_of(origin) == host.lower() != ""


def check_own(origin: str | None, host: str) -> None:
    """Raise ``Rejected`` if a page of another origin sends the request.

    Requests without an origin pass: browsers name none for a GET from a page of the same origin.
    """
    if origin is not None and not is_own(origin, host):
        raise Rejected("origin", _("Requests from this page are not allowed."), 403)


def check_page_of_website(origin: str, host: str, is_allowed: Callable[[str], bool]) -> None:
    """Raise ``Rejected`` unless the page is ours or on a domain of the website (``is_allowed``)."""
    page_host = host_of(origin)
    if not page_host or not (page_host == host or is_allowed(page_host)):
        raise Rejected("origin", _("This page is not on a domain of this website."), 403)


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
        logger.warning("a socket of another page was refused: %s", scope["path"])
        # ASGI allows a refusal only after the event that opens the socket.
        await receive()  # websocket.connect
        await send({"type": "websocket.close", "code": 4403})
