"""Security headers of every HTTP response, whoever answers it.

Django's middleware sets them on pages. Probes, the raw endpoints and refusals do not pass it, so
what is missing is added here, once for all of them.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from config.http_security import policy_text
from core.asgi.bodies import Application, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

REFUSED_METHODS = frozenset({"TRACE", "TRACK", "CONNECT"})
NOTHING = b"default-src 'none'; frame-ancestors 'none'"
"""The policy of what is no page: JSON, text, files."""


def missing(headers: Headers) -> Headers:
    """Return the security headers that a response with these ``headers`` lacks."""
    present = {name.lower(): value for name, value in headers}
    wanted = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"content-security-policy", _policy(present.get(b"content-type", b""))),
        (b"strict-transport-security", _insistence()),
    ]
    return [(name, value) for name, value in wanted if value and name not in present]


def with_security_headers(application: Application) -> Application:
    """Add the missing security headers to what ``application`` answers, and refuse the methods that
    repeat a request or open tunnels."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.start":
                headers = list(event.get("headers", ()))
                event = {**event, "headers": headers + missing(headers)}
            await send(event)

        if scope["method"] in REFUSED_METHODS:
            await _refuse(send_more)
        else:
            await application(scope, receive, send_more)

    return answering


def _policy(content_type: bytes) -> bytes:
    if not content_type.startswith(b"text/html"):
        return NOTHING
    # Django's pages about errors in development have inline styles.
    return b"" if settings.DEBUG else policy_text().encode()


def _insistence() -> bytes:
    seconds: int = settings.SECURE_HSTS_SECONDS
    return f"max-age={seconds}; includeSubDomains; preload".encode() if seconds else b""


async def _refuse(send: Send) -> None:
    headers = [(b"content-length", b"0"), (b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE")]
    await send({"type": "http.response.start", "status": 405, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
