"""Bodies for servers that pass them on as they arrive: collected within limits, then handed over.

The application begins once the whole body is here, as under daphne: a view that waits for a slow
client would hold one of its threads. A large body is written to disk, and one that is too large or
too slow is answered before the application hears of it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing, suppress
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any

from config.body_limits import limit_of, refusal
from config.response_headers import missing
from core import temporary_files
from core.asgi.bodies import (
    LINGER_SECONDS,
    ON_DISK,
    PACE_BYTES,
    PATIENCE_SECONDS,
    Application,
    Receive,
    Scope,
    Send,
)
from core.asgi.json_body import BODY_BYTES
from core.storage import is_full

logger = logging.getLogger(__name__)


class Refused(Exception):
    """The body cannot be accepted; ``status`` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class Gone(Exception):
    """The client has gone before it had sent the whole body."""


class BodyCollector:
    """Wraps an ASGI application that shall never wait for a client's body."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (length := announced_length(scope["headers"])) == 0:
            await self._application(scope, receive, send)
            return
        try:
            with closing(self._room_for(length, scope)) as body:
                size = await _collect(body, receive, limit_of(scope["method"], scope["path"]))
                body.seek(0)
                await self._hand_over(body, size, scope, receive, send)
        except Refused as refused:
            await refuse(refused.status, scope, receive, send)
        except Gone:
            return

    def _room_for(self, length: int | None, scope: Scope) -> IO[bytes]:
        """Return where a body of ``length`` bytes is collected; ``None`` stands for unknown."""
        if length is not None and length <= BODY_BYTES:
            return BytesIO()
        if length is not None and length > limit_of(scope["method"], scope["path"]):
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            return temporary_files.unnamed()
        except OSError as fault:
            raise _refused_if_full(fault) from fault

    async def _hand_over(
        self, body: IO[bytes], size: int, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if size > BODY_BYTES:
            scope["extensions"] = {**scope.get("extensions", {}), ON_DISK: body}
            await self._application(scope, receive, send)
            return
        events = [{"type": "http.request", "body": body.read(), "more_body": False}]

        async def receive_collected() -> dict[str, Any]:
            return events.pop() if events else await receive()

        await self._application(scope, receive_collected, send)


def announced_length(headers: list[tuple[bytes, bytes]]) -> int | None:
    """Return how long the body will be by its headers, ``None`` if they do not say so: 0 without a
    body. The server has checked that they are numbers."""
    length: int | None = 0
    for name, value in headers:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            return None
    return length


async def _collect(body: IO[bytes], receive: Receive, limit: int) -> int:
    """Write what arrives to ``body``; return its size in bytes."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    check_at, size, more = began_at + PATIENCE_SECONDS, 0, True
    while more:
        try:
            async with asyncio.timeout_at(check_at):
                event = await receive()
        except TimeoutError:
            if size < (loop.time() - began_at) * PACE_BYTES:
                raise Refused(HTTPStatus.REQUEST_TIMEOUT) from None
            check_at += PATIENCE_SECONDS / 4
            continue
        if event["type"] == "http.disconnect":
            raise Gone
        piece = event.get("body", b"")
        size += len(piece)
        if size > limit:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            body.write(piece)
        except OSError as fault:
            raise _refused_if_full(fault) from fault
        more = event.get("more_body", False)
    return size


def _refused_if_full(fault: OSError) -> Exception:
    if not is_full(fault):
        return fault
    logger.error("the disk is full: a request was refused (%s)", fault)
    return Refused(HTTPStatus.INSUFFICIENT_STORAGE)


async def refuse(status: HTTPStatus, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, store nothing more, and close the connection once the client has read it."""
    accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    kind, body = refusal(status, scope["path"], accepted)
    headers = [
        *((b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())),
        *((b"connection", b"close"), (b"cache-control", b"no-store")),
    ]
    start = {"type": "http.response.start", "status": status.value}
    await send({**start, "headers": headers + missing(headers)})
    # Not the end yet: uvicorn would close the connection with it.
    await send({"type": "http.response.body", "body": body, "more_body": True})
    # A connection that is closed while the client still sends would lose the answer.
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                continue
    await send({"type": "http.response.body", "body": b""})
