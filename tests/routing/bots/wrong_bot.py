"""An external bot that does each wrong thing, by the path of its address. Run as a process."""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = 10 * 1024 * 1024


class WrongBot(BaseHTTPRequestHandler):
    """Each request is written to standard output: its path and its id."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(self.path, self.headers["webhook-id"], flush=True)
        getattr(self, self.path.strip("/"))()

    def slow(self) -> None:
        time.sleep(5)
        self._send(b'{"actions": [{"type": "message", "text": "late"}]}')

    def wrong_json(self) -> None:
        self._send(b'{"actions": [{"type": "message", "texte": "no"}]}')

    def garbage(self) -> None:
        self._send(b"\x00\xff\xfe<html>")

    def fails(self) -> None:
        self.send_error(500)

    def redirects(self) -> None:
        self.send_response(307)
        self.send_header("Location", "/garbage")
        self.end_headers()

    def large(self) -> None:
        self._send(b" " * LARGE)

    def drips(self) -> None:
        """Send a byte now and then: within the time between two bytes, never within the whole."""
        self._drip(b'HTTP/1.0 200 OK\r\n\r\n{"actions": []}' * 3)

    def drips_headers(self) -> None:
        self._drip(b"HTTP/1.0 200 OK\r\nX: " + b"x" * 60)

    def silent(self) -> None:
        """Answer properly, and nothing."""
        self._send(b"")

    def _drip(self, content: bytes) -> None:
        for byte in content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.1)

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: object) -> None:
        """Callers that hang up are the point here."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), WrongBot)
    print(server.server_port, flush=True)
    server.serve_forever()
