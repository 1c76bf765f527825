"""Traces each request under the name of its view."""

from __future__ import annotations

from typing import Any

from core import log_context, request_ids
from core.asgi.bodies import Application, Receive, Scope, Send
from core.asgi.measured import FOUND
from core.monitoring import tracing


def traced(application: Application) -> Application:
    """Wrap ``application`` so that its requests are traced. It must itself be measured, which finds
    the view. A trace that a client claims to continue is ignored: it could be anybody's."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        with tracing.span(method, {"causerie.request": request_ids.current()}) as span:
            if span is None:
                await application(scope, receive, send)
                return

            async def noted(event: dict[str, Any]) -> None:
                if "status" in event:
                    span.set_attribute("http.response.status_code", event["status"])
                await send(event)

            try:
                await application(scope, receive, noted)
            finally:
                view = scope[FOUND].view
                span.update_name(f"{method} {view}")
                span.set_attribute("http.route", view)
                span.set_attribute("http.request.method", method)
                if conversation := log_context.current().conversation:
                    span.set_attribute("causerie.conversation", conversation)

    return serve
