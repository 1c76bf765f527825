"""A stand-in for Telegram's Bot API: a process of its own, which fails as its documentation says.

It prints its port. What it heard is at ``/heard``. How it fails next is posted to ``/next``, as a
list of ``{"status": 429, "retry_after": 5}``, ``{"status": 502}``, 401, 403, and ``{"cut": true}``:
it did what was asked, and the answer is lost.
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

TOKEN = "123456:the-token-of-the-bot"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cf"
    "c000000301010018dd8db00000000049454e44ae426082"
)
WORDS = {
    429: "Too Many Requests: retry after",
    401: "Unauthorized",
    400: "Bad Request: chat not found",
}
WORDS[403] = "Forbidden: bot was blocked by the user"

heard: list[dict[str, Any]] = []
failures: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/heard":
            self.answer(200, json.dumps(heard).encode())
        elif self.path.startswith(f"/file/bot{TOKEN}/"):
            heard.append({"method": "file", "path": self.path.rpartition("/")[2]})
            self.answer(200, PICTURE)
        else:
            self.answer(404, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/next":
            failures.extend(json.loads(body))
            self.answer(200, b"{}")
            return
        if not self.path.startswith(f"/bot{TOKEN}/"):
            self.answer(401, json.dumps(refusal(401, "Unauthorized")).encode())
            return
        method = self.path.rpartition("/")[2]
        failure = failures.pop(0) if failures else {}
        if "status" in failure:
            self.fail(failure)
            return
        heard.append({"method": method, "data": self.data(body)})
        if failure.get("cut"):
            self.connection.close()
            self.close_connection = True
            return
        results: dict[str, Any] = {"setWebhook": True, "getFile": {"file_path": "photos/1.png"}}
        result = results.get(method, {"message_id": len(heard)})
        self.answer(200, json.dumps({"ok": True, "result": result}).encode())

    def data(self, body: bytes) -> dict[str, Any]:
        if self.headers["Content-Type"] == "application/json":
            return dict(json.loads(body))
        return {"form": body.decode("latin-1")}

    def fail(self, failure: dict[str, Any]) -> None:
        status = failure["status"]
        said = refusal(status, WORDS.get(status, "Bad Gateway"))
        if "retry_after" in failure:
            said["parameters"] = {"retry_after": failure["retry_after"]}
        self.answer(status, json.dumps(said).encode())

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def refusal(status: int, words: str) -> dict[str, Any]:
    return {"ok": False, "error_code": status, "description": words}


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
        return [one["data"]["text"] for one in self.heard if one["method"] == "sendMessage"]

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


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)  # noqa: T201 - read by the test
    server.serve_forever()


if __name__ == "__main__":
    main()
