"""What the stand-ins of providers share: each is a process that a test starts, makes fail and asks
what it heard.

It prints its port. What it heard is at ``/heard``. How it fails next is posted to ``/next``, as a
list; each stand-in says what its failures are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cf"
    "c000000301010018dd8db00000000049454e44ae426082"
)

heard: list[dict[str, Any]] = []
failures: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    """Answers the test; a provider's own addresses are in ``fetched`` and ``called``."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/heard":
            self.answer(200, json.dumps(heard).encode())
        else:
            self.fetched()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/next":
            failures.extend(json.loads(body))
            self.answer(200, b"{}")
        else:
            self.called(body, failures.pop(0) if failures else {})

    def fetched(self) -> None:
        self.answer(404, b"{}")

    def called(self, body: bytes, failure: dict[str, Any]) -> None:
        raise NotImplementedError

    def data(self, body: bytes) -> dict[str, Any]:
        if self.headers["Content-Type"] == "application/json":
            return dict(json.loads(body))
        return {"form": body.decode("latin-1")}

    def cut(self) -> None:
        """End the connection: what was asked is done, and the answer is lost."""
        self.connection.close()
        self.close_connection = True

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class Provider:
    """A running stand-in, as a test sees it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    @property
    def heard(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/heard", timeout=10) as answer:
            return list(json.load(answer))

    @property
    def texts(self) -> list[str]:
        """Return the texts that Telegram was asked to send."""
        return [one["data"]["text"] for one in self.heard if one["method"] == "sendMessage"]

    def data_of(self, method: str) -> list[dict[str, Any]]:
        return [one["data"] for one in self.heard if one["method"] == method]

    def fail_next(self, *failures: dict[str, Any]) -> None:
        request = urllib.request.Request(f"{self.url}/next", json.dumps(failures).encode())
        with urllib.request.urlopen(request, timeout=10):
            pass


@contextmanager
def running(module: str) -> Iterator[Provider]:
    """Run the stand-in ``module`` as a process."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Provider(int(process.stdout.readline()))
        finally:
            process.terminate()


def serve(handler: type[Handler]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)  # noqa: T201 - read by the test
    server.serve_forever()
