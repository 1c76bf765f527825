"""Measures each request: which view, which status, how long, and how many run at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from core.asgi.bodies import Application, Receive, Scope, Send
from core.monitoring import measurements, processes

FOUND = "causerie.view"
"""The key of the scope under which a view leaves its name."""
UNKNOWN = "none"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class Found:
    """The view that answers: a name from the code, never a part of the address."""

    view: str = UNKNOWN


def name_view(scope: dict[str, Any], view: str) -> None:
    """Say which view answers the request of this scope."""
    found = scope.get(FOUND)
    if isinstance(found, Found):
        found.view = view


def measured(application: Application) -> Application:
    """Wrap ``application`` so that its answers are measured."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        found = Found()
        begun, status = time.perf_counter(), 0

        async def noted(event: dict[str, Any]) -> None:
            nonlocal status
            status = event.get("status", status)
            await send(event)

        processes.watch_loop()
        processes.running_requests += 1
        try:
            await application({**scope, FOUND: found}, receive, noted)
        finally:
            processes.running_requests -= 1
            # A client may send any word as the method, and each would be a new series.
            method = scope["method"] if scope["method"] in METHODS else measurements.OTHER
            # Without a status, the client has gone or the application has failed.
            kind = f"{status // 100}xx" if status else UNKNOWN
            measurements.count(measurements.REQUESTS, found.view, method, kind)
            seconds = time.perf_counter() - begun
            measurements.observe(measurements.REQUEST_SECONDS, seconds, found.view)

    return serve
