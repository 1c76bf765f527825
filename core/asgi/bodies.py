"""Request bodies: bounded while they arrive, and read from disk if the server keeps them there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import IO, Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ON_DISK = "causerie.body"
"""The extension of the scope with the file that holds the body (``config.web_servers``)."""
# A body may take 20 s, or longer if it is large, as long as it brings 4 KB a second on average.
PATIENCE_SECONDS = 20
PACE_BYTES = 4096
LINGER_SECONDS = 2  # how long a refused client may go on sending, to read the answer
PIECE_BYTES = 256 * 1024


def is_announced_larger(headers: dict[bytes, bytes], limit: int) -> bool:
    """Return whether the header of its length says that the body is larger than ``limit``."""
    announced = headers.get(b"content-length", b"0")
    # ``int`` also reads "-1" and "1_000", which are no lengths.
    return not announced.isdigit() or int(announced) > limit


async def serve(
    application: Application, scope: Scope, receive: Receive, send: Send, *, limit: int
) -> bool:
    """Run ``application`` on a body of at most ``limit`` bytes; return false if it is larger.

    Then nothing has been answered yet. To the application the client seems to have gone.
    """
    on_disk = scope.get("extensions", {}).get(ON_DISK)
    source = receive if on_disk is None else _from_disk(on_disk, receive)
    size = 0
    is_too_large = has_begun = False

    async def counted() -> dict[str, Any]:
        nonlocal size, is_too_large
        event = await source()
        size += len(event.get("body", b""))
        if size <= limit:
            return event
        # An answer that has begun cannot become a refusal.
        is_too_large = not has_begun
        return {"type": "http.disconnect"}

    async def noted(event: dict[str, Any]) -> None:
        nonlocal has_begun
        if not is_too_large:
            has_begun = True
            await send(event)

    if is_announced_larger(dict(scope["headers"]), limit):
        return False
    await application(scope, counted, noted)
    return not is_too_large


def _from_disk(body: IO[bytes], receive: Receive) -> Receive:
    """Return a ``receive`` that reads the body piece by piece, then waits for the client to go."""
    is_read = False

    async def receive_piece() -> dict[str, Any]:
        nonlocal is_read
        while is_read:
            event = await receive()
            if event["type"] != "http.request":  # The server sends an empty body as well.
                return event
        try:
            piece = await asyncio.to_thread(body.read, PIECE_BYTES)
        except ValueError:  # The client has gone, and the server has closed the file.
            return {"type": "http.disconnect"}
        is_read = len(piece) < PIECE_BYTES
        return {"type": "http.request", "body": piece, "more_body": not is_read}

    return receive_piece
