"""The base of raw ASGI endpoints: request bodies, responses and errors.

The message path bypasses Django's middleware, because each middleware class would cost a thread hop
for each message (docs/adr/0004). Its protections are here and in the endpoints themselves: size,
content type, origin, method.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from psycopg_pool import PoolTimeout

from core import log_context, temporary_files
from core.asgi import origins
from core.asgi.files import UPLOAD_BYTES, Download, too_large
from core.asgi.json_body import BODY_BYTES, JSON, check_type, too_long
from core.rejection import Rejected, error, no_space, unavailable
from core.storage import StorageAway, is_full
from core.text.strict_json import parse_object

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = dict[str, Any] | Download | None
Handle = Callable[["Request"], Awaitable[tuple[int, Answer]]]

LOGGED = frozenset({401, 403, 404, 429})
"""Refusals that may be attempts to reach what is somebody else's, or too much of it."""

UNAVAILABLE = (psycopg.OperationalError, PoolTimeout)


class Request:
    """An HTTP request, as an endpoint reads it."""

    def __init__(self, scope: Scope, receive: Receive, match: dict[str, str]) -> None:
        self.method: str = scope["method"]
        self.match = match
        self.query: str = scope["query_string"].decode("latin-1")
        self.headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        # Behind a proxy, daphne has put the visitor's address here. A Unix socket has none.
        self.address: str = (scope.get("client") or ("",))[0]
        self._receive = receive

    @property
    def language(self) -> str:
        """The first supported language of Accept-Language, else the default."""
        # Weights are ignored: browsers list the languages in the order of preference.
        for part in self.headers.get("accept-language", "").split(","):
            code = part.split(";")[0].strip().lower()[:2]
            if code in dict(settings.LANGUAGES):
                return code
        return str(settings.LANGUAGE_CODE)

    async def json(self, kind: str = JSON) -> dict[str, Any]:
        """Return the body, of content type ``kind``, as a JSON object; raise ``Rejected`` if it is
        not one or is too large."""
        check_type(self.headers.get("content-type", ""), kind)
        body = b""
        more = True
        while more:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise Rejected("invalid", _("The request was interrupted."), 400)
            body += event.get("body", b"")
            more = event.get("more_body", False)
            if len(body) > BODY_BYTES:
                raise too_long()
        return parse_object(body)

    @asynccontextmanager
    async def file(self) -> AsyncIterator[Path]:
        """Write the body to a temporary file, piece by piece; raise ``Rejected`` as soon as it is
        known to be too large."""
        # The header may lie, so the bytes are counted below; it only spares the transfer.
        announced = self.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > UPLOAD_BYTES:
            raise too_large()
        with temporary_files.folder() as folder:
            path = folder / "upload"
            size = 0
            more = True
            with path.open("wb") as upload:
                while more:
                    event = await self._receive()
                    if event["type"] == "http.disconnect":
                        raise Rejected("invalid", _("The request was interrupted."), 400)
                    size += upload.write(event.get("body", b""))
                    more = event.get("more_body", False)
                    if size > UPLOAD_BYTES:
                        raise too_large()
            yield path

    def check_origin(self) -> None:
        """Raise ``Rejected`` for an unknown host or a page of another origin, whatever token or
        cookie the request carries."""
        host = self.headers.get("host", "")
        if not origins.is_our_host(host):
            raise Rejected("invalid", _("Unknown host."), 400)
        origins.check_own(self.headers.get("origin"), host)


async def serve(
    scope: Scope, receive: Receive, send: Send, match: dict[str, str], handle: Handle
) -> None:
    """Run one endpoint. Every error is answered as JSON with a code and a sentence."""
    request = Request(scope, receive, match)
    log_context.note(conversation=match.get("conversation"))
    headers: list[tuple[bytes, bytes]] = []
    payload: Answer
    with translation.override(request.language):
        try:
            status, payload = await handle(request)
        except Rejected as rejected:
            status = rejected.status
            if status in LOGGED:
                logger.warning("refused: %s %s, %s", scope["method"], scope["path"], rejected.code)
            payload = error(rejected.code, rejected.text)
            if rejected.retry_after is not None:
                headers = [(b"retry-after", str(rejected.retry_after).encode())]
        except UNAVAILABLE:
            logger.warning("could not store a message, asking the client to retry", exc_info=True)
            lost = unavailable()
            status, headers = lost.status, [(b"retry-after", b"2")]
            payload = error(lost.code, lost.text)
        except StorageAway as fault:
            logger.error("the storage of files cannot be used (%s)", fault)
            away = unavailable()
            status, headers = away.status, [(b"retry-after", b"2")]
            payload = error(away.code, away.text)
        except Exception as fault:
            status, payload = _failure(fault)
    if isinstance(payload, Download):
        body = payload.content
        headers += _as_file(payload)
    else:
        body = b"" if payload is None else json.dumps(payload, ensure_ascii=False).encode()
        headers += [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"cache-control", b"no-store"),
        ]
    headers += [
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _failure(fault: Exception) -> tuple[int, Answer]:
    """Log a fault of ours, and return what the client is told of it."""
    if is_full(fault):
        logger.error("the disk is full: a file was refused (%s)", fault)
        refusal = no_space()
        return refusal.status, error(refusal.code, refusal.text)
    logger.error("message endpoint failed", exc_info=fault)
    return 500, error("failed", _("Something went wrong on our side."))


def _as_file(download: Download) -> list[tuple[bytes, bytes]]:
    """Return the headers of a download. It can be saved or shown as an image in our pages; opened
    as a page it is sandboxed. A file never changes, but only the reader's own cache may store
    it."""
    return [
        (b"content-type", download.content_type.encode()),
        (b"content-disposition", f"attachment; filename*=UTF-8''{quote(download.name)}".encode()),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"cache-control", b"private, max-age=604800, immutable"),
        (b"vary", b"Authorization, Cookie"),
    ]
