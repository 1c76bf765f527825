"""Measure what the embed costs a brand's page: ``python -m bench.embedding``.

A page on another site loads the script, the visitor is engaged and the button appears. Measured is
the main thread's time until then, against the same page with an empty script, in a real Chromium
and an installation of its own: once at this machine's speed, once four times slower, like a phone.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.instance import ROOT, Instance, NotStarted, started

LOADS = 5
PROMISE_MS = 20.0
SLOWER = 4
PREPARING_SECONDS = 60
SETTLE_MS = 1500

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A brand</title>
<h1>A brand's own page</h1>{paragraphs}
<script async src="{script}" data-website="{key}"></script></html>"""
PARAGRAPHS = "<p>Words that a brand would say of its lamps.</p>" * 50


def main() -> int:
    try:
        with started(1) as instance:
            results = play(instance, _key(instance))
    except NotStarted as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print("| main thread | with an empty script | with the embed | the embed costs |")
    print("| --- | --- | --- | --- |")
    for name, (without, with_embed) in results.items():
        costs = with_embed - without
        print(f"| {name} | {without:.1f} ms | {with_embed:.1f} ms | {costs:.1f} ms |")
    without, with_embed = results["as fast as it is"]
    return int(with_embed - without > PROMISE_MS)


def _key(instance: Instance) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.prepare", "--agents", "1", "--visitors", "10"],
        cwd=ROOT,
        env=instance.environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PREPARING_SECONDS,
        check=True,
    )
    return str(json.loads(done.stdout)["key"])


def play(instance: Instance, key: str) -> dict[str, tuple[float, float]]:
    """Return the medians of the main thread's time for a page, in ms: without the embed, and with
    it."""
    from playwright.sync_api import sync_playwright

    product = f"http://{instance.host}:{instance.port}"
    with sync_playwright() as playwright, _brand(product, key) as brand:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox"],
        )
        results = {}
        for name, factor in (("as fast as it is", 1), (f"{SLOWER} times slower", SLOWER)):
            # Alternating, so that both see the same state of the machine; the first pair warms up.
            spent = [
                (_load(browser, f"{brand}/empty", factor), _load(browser, f"{brand}/", factor))
                for _ in range(LOADS + 1)
            ][1:]
            without, with_embed = zip(*spent, strict=True)
            results[name] = (statistics.median(without), statistics.median(with_embed))
        browser.close()
    return results


def _load(browser: Any, url: str, factor: int) -> float:
    """Return the main thread's time for one load in a fresh profile, without cached scripts."""
    context = browser.new_context()
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    if factor > 1:
        tools.send("Emulation.setCPUThrottlingRate", {"rate": factor})
    if is_empty := url.endswith("/empty"):
        page.goto(url)
    else:
        with page.expect_response("**/engagement/"):
            page.goto(url)
    page.wait_for_timeout(SETTLE_MS)
    metrics = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    # Only now: querying the page injects the test tool's own scripts into it, 15 ms of them.
    assert page.get_by_role("button").count() == (not is_empty), "not engaged"
    context.close()
    return float(1000 * metrics["TaskDuration"])


@contextmanager
def _brand(product: str, key: str) -> Iterator[str]:
    """Run a brand's server: its page with the embed, and one with an empty script."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script = "/empty.js" if self.path == "/empty" else f"{product}/embed.js"
            page = PAGE.format(script=script, key=key, paragraphs=PARAGRAPHS)
            is_script = self.path == "/empty.js"
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
            self.end_headers()
            self.wfile.write(b"" if is_script else page.encode())

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main())
