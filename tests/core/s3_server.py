"""A real S3 server in a process of its own, and a line to it that refuses, hangs or is full."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.config.test_settings import free_port

BUCKET = "files"


@contextmanager
def running(log: Path) -> Iterator[str]:
    """Yield the address of a running server with an empty bucket, as in ``STORAGE_URL``."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=output,
            stderr=output,
        )
    try:
        give_up = time.monotonic() + 60
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=2).close()
                break
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.1)
        made = urllib.request.Request(f"http://127.0.0.1:{port}/{BUCKET}", method="PUT")
        urllib.request.urlopen(made, timeout=10).close()
        yield f"s3+http://key:secret@127.0.0.1:{port}/{BUCKET}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def answering(status: int, code: str, *, after: float = 0.0) -> Iterator[str]:
    """Yield the address of a server that answers everything with this error."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(after)
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else body)
            self.close_connection = True

        do_PUT = do_HEAD = do_DELETE = do_POST = do_GET

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"s3+http://key:secret@127.0.0.1:{server.server_port}/{BUCKET}"
    finally:
        server.shutdown()
        server.server_close()
