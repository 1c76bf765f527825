"""A receiver of webhooks: a real HTTP server that behaves as a test asks for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = 10_000_000


class Receiver:
    """``heard`` are the deliveries: headers and body. ``way`` is how it answers: a status, or one
    of the words in ``Handler``. ``wrong`` are the ids that are answered with 500."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.way: int | str = 200
        self.wrong: set[str] = set()
        self.more: dict[str, str] = {}
        self.calls = 0
        self.changed = threading.Condition()
        self.let_go = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver.changed:
                    receiver.calls += 1
                    receiver.changed.notify_all()
                way = 500 if headers["webhook-id"] in receiver.wrong else receiver.way
                if way == "hang":
                    receiver.let_go.wait(30)
                    way = 200
                if way == 200:
                    with receiver.changed:
                        receiver.heard.append((headers, body))
                        receiver.changed.notify_all()
                self.answer(way)

            def answer(self, way: int | str) -> None:
                if way == "garbage":
                    self.wfile.write(b"\xff\xfe<html>")
                    self.close_connection = True
                    return
                self.send_response({"drip": 200, "large": 200}.get(str(way)) or int(way))
                for name, value in receiver.more.items():
                    self.send_header(name, value)
                if way == 302:
                    self.send_header("Location", "http://127.0.0.1/")
                content = b"x" * (LARGE if way == "large" else 100 if way == "drip" else 2)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if way == "drip":
                    for _ in range(100):
                        self.wfile.write(b"x")
                        time.sleep(0.05)
                    return
                self.wfile.write(content)

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Callers that hang up are the point here.
        self.server.handle_error = lambda *arguments: None  # type: ignore[method-assign]
        serve = self.server.serve_forever
        threading.Thread(target=serve, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.heard]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.heard]

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Wait until so many deliveries were accepted."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= count, seconds), self.ids


@contextmanager
def running() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        receiver.server.shutdown()
        receiver.server.server_close()
