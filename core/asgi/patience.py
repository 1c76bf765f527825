"""An answer for requests that a hung PostgreSQL holds: it takes connections, and says nothing.

Its own limits (``statement_timeout``) do not help, since it does not run. A request that waits is
answered after ``PATIENCE_SECONDS`` and a probe. The work itself goes on, and its result is dropped:
a change may still happen after its 503, as after any cut of the network. What must happen once has
an id of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from core.asgi.bodies import Application, Receive, Scope, Send
from core.db import async_pool

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
PROBE_SECONDS = 1.0
FORM = b"application/x-www-form-urlencoded"
FORM_BYTES = 65536

Refuse = Callable[[Scope, Send, bytes], Awaitable[None]]
"""Answers in the application's place. The bytes are those of the form that was sent, if any."""


class Patience:
    """Serves requests as long as the database answers. One for each process."""

    def __init__(self, application: Application, refuse: Refuse) -> None:
        self._application = application
        self._refuse = refuse
        self._probe: asyncio.Task[bool] | None = None
        # What was given up on still runs; the event loop itself keeps no strong reference.
        self._abandoned: set[asyncio.Task[None]] = set()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; answer in its place if the database hangs before it has begun to
        answer."""
        has_begun = is_given_up = False
        form = bytearray()

        async def recorded() -> dict[str, Any]:
            event = await receive()
            form.extend(event.get("body", b""))
            return event

        async def noted(event: dict[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            if not is_given_up:
                await send(event)

        heard = recorded if _is_form(scope) else receive
        work = asyncio.ensure_future(self._application(scope, heard, noted))
        try:
            while not (await asyncio.wait({work}, timeout=PATIENCE_SECONDS))[0]:
                # Checked again after the probe: the answer may have begun while it waited.
                if not has_begun and not await self._answers() and not has_begun:
                    is_given_up = True
                    break
        except asyncio.CancelledError:
            # Unlike ``await``, ``wait`` leaves the task running.
            work.cancel()
            raise
        if not is_given_up:
            # It has ended: this raises what it has raised.
            await work
            return
        logger.warning("the database does not answer: %s %s", scope["method"], scope["path"])
        self._abandoned.add(work)
        work.add_done_callback(self._forget)
        await self._refuse(scope, send, bytes(form) if len(form) <= FORM_BYTES else b"")

    async def _answers(self) -> bool:
        """Return whether the database answers a probe, which all who wait share."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.ensure_future(async_pool.answers(PROBE_SECONDS))
        # A request that is cancelled must not cancel the probe of the others.
        return await asyncio.shield(self._probe)

    def _forget(self, work: asyncio.Task[None]) -> None:
        self._abandoned.discard(work)
        if not work.cancelled() and (error := work.exception()):
            logger.warning("what was given up on has failed", exc_info=error)


def _is_form(scope: Scope) -> bool:
    """Return whether the request brings a form without files, which its page sends as words."""
    return any(
        name == b"content-type" and value.startswith(FORM) for name, value in scope["headers"]
    )
