"""HEAD requests: answered as the GET to the same address, without its body."""

from __future__ import annotations

from typing import Any

from core.asgi.bodies import Application, Receive, Scope, Send


def answers_head(application: Application) -> Application:
    """Let ``application``, which knows GET, answer HEAD at every address that has one."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "HEAD":
            await application(scope, receive, send)
            return

        async def send_head(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.body":
                # Only the last event of the body passes, emptied: the server needs it to end the
                # response.
                if event.get("more_body", False):
                    return
                event = {"type": event["type"], "body": b""}
            await send(event)

        await application({**scope, "method": "GET"}, receive, send_head)

    return answering
