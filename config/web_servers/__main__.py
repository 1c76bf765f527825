"""``python -m config.web_servers HOST:PORT``: one web process with the server that ``WEB_SERVER``
names, for machines where something else than ``config.supervisor`` starts the processes."""

from __future__ import annotations

import importlib
import os
import socket
import sys

BACKLOG = 1024


def main(arguments: list[str]) -> None:
    host, colon, port = (arguments[0] if len(arguments) == 1 else "").rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        sys.exit("usage: python -m config.web_servers HOST:PORT")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    importlib.import_module("config.application")
    from config import settings  # not before Django is set up

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Not through asyncio: uvicorn and daphne each take a socket that listens already.
    listener = socket.create_server(
        (host.strip("[]") or "0.0.0.0", int(port)), family=family, backlog=BACKLOG
    )
    server = importlib.import_module(f"config.web_servers.{settings.WEB_SERVER}_server")
    server.serve(listener.detach(), lambda: None, 1.0)


if __name__ == "__main__":
    main(sys.argv[1:])
