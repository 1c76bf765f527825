"""A small application under both servers, for ``test_draining``: ``/3`` answers after 3 s, and a
socket says ``bye`` to a file once it was closed. ``python -m`` serves it with uvicorn."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

from config.web_servers import daphne_patches

daphne_patches.apply()
django.setup()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await asyncio.sleep(0.5)
        with Path(os.environ["GOODBYES"]).open("a") as file:
            file.write("bye\n")
        return
    await asyncio.sleep(float(scope["path"].strip("/")))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


if __name__ == "__main__":
    from config.web_servers.uvicorn_server import serve_application

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    serve_application(application, listener.detach(), lambda: None, 1.0)
