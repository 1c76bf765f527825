"""Gives each request an id, which its answer and all its log records carry."""

from __future__ import annotations

from typing import Any

from core import log_context, request_ids
from core.asgi.bodies import Application, Receive, Scope, Send

HEADER = b"x-request-id"


def named(application: Application) -> Application:
    """Wrap ``application`` so that every answer has an id, also one that Django does not give: the
    one that the client or proxy offers, or a random one."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        offered = dict(scope["headers"]).get(HEADER, b"").decode("latin-1")
        with request_ids.named(offered) as request_id, log_context.begun():

            async def marked(event: dict[str, Any]) -> None:
                if event["type"] == "http.response.start":
                    headers = list(event.get("headers", ()))
                    if all(name.lower() != HEADER for name, _value in headers):
                        event = {**event, "headers": [*headers, (HEADER, request_id.encode())]}
                await send(event)

            await application(scope, receive, marked)

    return serve
