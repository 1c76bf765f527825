"""HTTP calls of scenarios: a real server that answers well, and in each wrong way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.outside_calls import Server
from routing.bots.http_calls import ANSWER_LIMIT, Failed, make, read


class Shop(BaseHTTPRequestHandler):
    """A shop that behaves as the path says."""

    seen: list[tuple[str, str, bytes]] = []

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.seen.append((self.command, self.path, self.rfile.read(length)))
        what = self.path.strip("/").split("/")[0]
        if what == "slow":
            time.sleep(3)
        if what == "moved":
            self.send_response(302)
            self.send_header("Location", "/orders/1")
            self.end_headers()
            return
        self.send_response(500 if what == "down" else 200)
        self.end_headers()
        if what == "large":
            self.wfile.write(b'"' + b"x" * (ANSWER_LIMIT + 10) + b'"')
        elif what == "garbage":
            self.wfile.write(b"\xff\xfe <html>")
        elif what == "drip":
            for _ in range(30):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self.wfile.write(json.dumps({"order": {"status": "sent\u0000\n now"}}).encode())

    do_POST = do_GET

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def shop(settings: Any) -> Iterator[str]:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    Shop.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.handle_error = lambda *arguments: None  # callers that hang up are the point here
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def call(url: str, **more: Any) -> dict[str, Any]:
    paths = {"status": "order.status"}
    return {"method": "GET", "url": url, "body": {}, "seconds": 1, "paths": paths} | more


def test_the_values_of_an_answer_are_read_as_one_line_each(shop: str) -> None:
    assert make(call(f"{shop}/orders/1")).values == {"status": "sent now"}
    assert Shop.seen == [("GET", "/orders/1", b"")]


def test_a_post_sends_its_values_as_json(shop: str) -> None:
    make(call(f"{shop}/orders", method="POST", body={"order": "CM-1"}))
    assert json.loads(Shop.seen[0][2]) == {"order": "CM-1"}


@pytest.mark.parametrize("way", ["slow", "moved", "down", "large", "garbage", "drip"])
def test_whatever_goes_wrong_is_an_outcome_without_values(shop: str, way: str) -> None:
    began = time.monotonic()
    assert make(call(f"{shop}/{way}")).values is None
    assert time.monotonic() - began < 2.9
    assert len(Shop.seen) == 1  # no redirect was followed


def test_a_server_that_does_not_listen_fails(shop: str) -> None:
    assert make(call("http://127.0.0.1:9/")).values is None


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/", "ftp://x"],
)
def test_private_servers_are_never_called(
    url: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = False
    monkeypatch.setattr(Server, "send", lambda *_, **__: pytest.fail("called"))
    assert make(call(url)).values is None


def test_paths_reach_into_objects_and_lists_and_leave_out_the_rest() -> None:
    answer = {"a": {"b": [{"c": 1.5}, True]}, "d": None, "e": {}, "f": "x" * 300}
    paths = {
        "deep": "a.b.0.c",
        "yes": "a.b.1",
        "no": "a.b.7",
        "none": "d",
        "object": "e",
        "long": "f",
        "through": "f.g",
        "minus": "a.b.-1",
    }
    found = read(json.dumps(answer).encode(), paths)
    assert found == {"deep": "1.5", "yes": "true", "long": "x" * 200}
    assert read(b"not read", {}) == {}
    with pytest.raises(Failed):
        read(b"[" * 50_000, paths)
