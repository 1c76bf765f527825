"""The ASGI application: raw endpoints for messages and page views, Django for other HTTP,
sockets."""

from __future__ import annotations

import gc
import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

from config import daphne_patches

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
daphne_patches.apply()
django_application = get_asgi_application()

# The models can be imported only after Django's setup.
import desk.asgi  # noqa: E402
import desk.consumers  # noqa: E402
import messenger.asgi.messages  # noqa: E402
import messenger.asgi.page_views  # noqa: E402
import messenger.consumers  # noqa: E402
import reporting.board.consumers  # noqa: E402

RAW_ENDPOINTS = (messenger.asgi.page_views, messenger.asgi.messages, desk.asgi)


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Route the message path past Django's middleware, everything else through it."""
    for endpoint in RAW_ENDPOINTS:
        match = endpoint.match(scope["path"])
        if match is not None:
            await endpoint.handle(scope, receive, send, match)
            return
    await django_application(scope, receive, send)


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
                *desk.consumers.websocket_urlpatterns,
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
