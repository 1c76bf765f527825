"""The ASGI application, for any server: raw endpoints for messages and page views, Django for other
HTTP, sockets."""

from __future__ import annotations

import gc
import os
from http import HTTPStatus
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

# The models can be imported only after Django's setup.
import desk.asgi  # noqa: E402
import desk.consumers  # noqa: E402
import desk.mirroring.consumers  # noqa: E402
import messenger.asgi.messages  # noqa: E402
import messenger.asgi.page_views  # noqa: E402
import messenger.consumers  # noqa: E402
import messenger.mirroring.consumers  # noqa: E402
import reporting.board.consumers  # noqa: E402
from config import body_limits, outages  # noqa: E402
from config.response_headers import with_security_headers  # noqa: E402
from core.asgi import bodies  # noqa: E402
from core.asgi.head import answers_head  # noqa: E402
from core.asgi.measured import measured, name_view  # noqa: E402
from core.asgi.named import named  # noqa: E402
from core.asgi.patience import Patience  # noqa: E402
from core.asgi.traced import traced  # noqa: E402

RAW_ENDPOINTS = (messenger.asgi.page_views, messenger.asgi.messages, desk.asgi)


@answers_head
async def routed(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Route the message path past Django's middleware, everything else through it."""
    for endpoint in RAW_ENDPOINTS:
        match = endpoint.match(scope["path"])
        if match is not None:
            name_view(scope, endpoint.__name__)
            await endpoint.handle(scope, receive, send, match)
            return
    await django_application(scope, receive, send)


async def refuse_for_now(scope: dict[str, Any], send: Any, form: bytes) -> None:
    """Answer 503 in the place of what the database holds up."""
    typed = outages.typed_in(form) if scope["method"] == "POST" else None
    kind, body = outages.answer(
        scope["path"], _accepted_languages(scope), typed=typed, may_be_saved=True
    )
    retry = str(outages.RETRY_SECONDS).encode()
    headers = [
        *((b"content-type", kind.encode()), (b"cache-control", b"no-store")),
        (b"retry-after", retry),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


patient = Patience(routed, refuse_for_now)


@named
@measured
@traced
@with_security_headers
async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve a request whose body is no larger than its entry point admits (N22)."""
    method, path = scope["method"], scope["path"]
    limit = body_limits.limit_of(method, path)
    if await bodies.serve(patient.serve, scope, receive, send, limit=limit):
        return
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    kind, body = body_limits.refusal(status, path, _accepted_languages(scope))
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _accepted_languages(scope: dict[str, Any]) -> str:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"accept-language", b"").decode("latin-1")


async def refuse_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Close a socket at an unknown address."""
    await receive()  # websocket.connect
    await send({"type": "websocket.close", "code": 4404})


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": URLRouter(
            [
                *messenger.consumers.websocket_urlpatterns,
                *messenger.mirroring.consumers.websocket_urlpatterns,
                *desk.consumers.websocket_urlpatterns,
                *desk.mirroring.consumers.websocket_urlpatterns,
                *reporting.board.consumers.websocket_urlpatterns,
                re_path("", refuse_socket),  # type: ignore[arg-type]
            ]
        ),
    }
)

# What is loaded by now stays loaded. Freezing it keeps the garbage collector from scanning it again
# and again: a full collection is a pause that people at a desk would notice.
gc.collect()
gc.freeze()
