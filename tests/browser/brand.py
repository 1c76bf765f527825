"""A brand's own page, served from an origin that is not ours."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><html {attributes}>
<meta name="viewport" content="width=device-width"><title>A brand</title>
<h1>A brand's own page</h1>
<style>button {{ display: none; }}</style>
{script}</html>"""
SCRIPT = '<script async src="{product}/embed.js" data-website="{key}"></script>'
# The strictest policy for a page that embeds the Messenger; its own inline style is allowed by
# hash.
POLICY = (
    "default-src 'none'; script-src {product}; connect-src {product}; frame-src {product}; "
    "style-src 'sha256-{hash}'"
)


@contextmanager
def page(
    product_url: str,
    key: str,
    script: str = SCRIPT,
    attributes: str = 'lang="en"',
    lacks: str = "",
    *,
    only_reports: bool = False,
) -> Iterator[int]:
    """Serve a page that embeds the website ``key``; yield its port. Its policy does not allow us in
    the directive ``lacks``."""
    embed = script.format(product=product_url, key=key)
    body = PAGE.format(script=embed, attributes=attributes).encode()
    policy = POLICY.format(product=product_url, hash=style_hash(body))
    if lacks:
        policy = policy.replace(f"{lacks} {product_url}", f"{lacks} 'none'")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_page = self.path == "/"
            self.send_response(200 if is_page else 204)
            kind = "-Report-Only" if only_reports else ""
            self.send_header(f"Content-Security-Policy{kind}", policy)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if is_page:
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Log nothing: the browser's console shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def style_hash(body: bytes) -> str:
    style = body.split(b"<style>")[1].split(b"</style>")[0]
    return base64.b64encode(hashlib.sha256(style).digest()).decode()
