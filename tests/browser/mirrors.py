"""Steps of tests of mirroring: a brand's page elsewhere, its frames, the picture at the desk."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Page, WebSocket

from tests.browser.conftest import Crowd
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product

SCRIPT = '<script async src="{product}/embed.js" data-website="demo"></script>'


ORDER = "A lamp of brass"


FIRST = "Where is my parcel?"


class Site:
    """A brand's page on an origin that is not ours; ``asked`` are the paths that were requested.
    ``connections`` also counts those that requested nothing."""

    def __init__(self, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self.asked: list[str] = []
        self.connections = 0


@contextmanager
def site(product: Product, body: str) -> Iterator[Site]:
    page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>A brand</title>
        <link rel="icon" href="data:,">{body}{SCRIPT.format(product=product.url)}</html>"""
    served: list[Site] = []

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            served[0].connections += 1
            super().setup()

        def do_GET(self) -> None:
            served[0].asked.append(self.path)
            is_page = not self.path.startswith("/file/")
            self.send_response(200 if is_page else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode() if is_page else b"")

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.append(Site(server.server_address[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served[0]
    finally:
        server.shutdown()
        server.server_close()


class Wire:
    """The frames that a visitor's browser sends of its page, as text."""

    def __init__(self, page: Page) -> None:
        self.frames: list[bytes] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        if "/mirror/" in socket.url:
            socket.on("framesent", self._keep)

    def _keep(self, payload: Any) -> None:
        if isinstance(payload, bytes):
            self.frames.append(payload)

    @property
    def size(self) -> int:
        return sum(map(len, list(self.frames)))

    @property
    def text(self) -> str:
        texts, parts = [], b""
        for frame in list(self.frames):
            parts = (b"" if frame[0] & 2 else parts) + frame[1:]
            if frame[0] & 4:
                texts.append(zlib.decompress(parts, wbits=-15).decode())
        return "\n".join(texts)


def start(crowd: Crowd, url: str) -> tuple[Visitor, Agent]:
    """A conversation between a visitor on the page at ``url`` and Alice."""
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor()
    visitor.page.goto(url)
    visitor.open()
    visitor.agree()
    visitor.say(FIRST)
    alice.sees(FIRST)
    return visitor, alice


def look(agent: Agent) -> None:
    agent.page.get_by_role("button", name="Show the page").click()


def picture(agent: Agent) -> Any:
    """The visitor's page as it is replayed at the desk."""
    frame = agent.page.get_by_title("The visitor's page").content_frame
    return frame.locator("iframe").content_frame


def border(visitor: Visitor) -> Any:
    return visitor.page.get_by_text("Alice can see this page")


def stop(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Stop sharing").click()


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """For what Playwright cannot wait for."""
    for _try in range(300):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come")
