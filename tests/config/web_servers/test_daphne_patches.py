"""The patched Daphne leaves forms unparsed and refuses large bodies before it stores them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any

import pytest
from daphne.http_protocol import HTTPFactory
from daphne.server import Server
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

import config.asgi  # noqa: F401 - arranges daphne, as in its own process
from config.api import shape
from config.body_limits import FORM_BYTES
from core import temporary_files
from core.asgi.bodies import LINGER_SECONDS, PACE_BYTES, PATIENCE_SECONDS
from core.asgi.files import UPLOAD_BYTES
from core.asgi.json_body import BODY_BYTES

FORM = b"name=" + b"x" * 1000
POST = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(FORM)
)


class Seen(Server):
    """Daphne's server, which exposes the request instead of starting the application."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> None:
        self.request = protocol
        self.scope = scope


_channels: list[Any] = []


@pytest.fixture(autouse=True)
def disconnected() -> Iterator[None]:
    yield
    while _channels:
        _channels.pop().connectionLost(Failure(ConnectionDone()))


def connected(clock: Clock | None = None) -> tuple[Seen, Any, StringTransport]:
    """Return daphne's server, a connection to it and what that connection writes."""
    server = Seen("config.asgi:application", endpoints=["none"])
    server.connections = {}  # as its ``run`` sets it
    channel = HTTPFactory(server).buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    channel.callLater = (clock or Clock()).callLater
    transport = StringTransport()
    transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]
    channel.makeConnection(transport)
    _channels.append(channel)
    return server, channel, transport


def begun(path: str = "/", *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def test_daphne_leaves_a_form_unparsed() -> None:
    server, channel, _transport = connected()
    channel.dataReceived(POST + FORM)
    assert server.request.args == {}
    assert server.request.content.getvalue() == FORM


ENTRY_POINTS = [
    ("POST", "/login/", BODY_BYTES),
    ("GET", "/", BODY_BYTES),
    ("POST", "/nothing/here/", BODY_BYTES),
    ("POST", "/messenger/demo/conversations/", BODY_BYTES),
    ("POST", "/messenger/demo/attachments/x/", BODY_BYTES),
    ("PUT", "/messenger/demo/attachments/x/", UPLOAD_BYTES),
    ("PUT", "/messenger/demo/conversations/c/attachments/x/", UPLOAD_BYTES),
    ("PUT", "/desk/c/1/attachments/x/", UPLOAD_BYTES),
    ("POST", "/admin/accounts/group/1/change/", FORM_BYTES),
    ("POST", "/api/v1/conversations/", shape.BODY_BYTES),
    ("POST", "/mail/in/mailgun/inbound/", BODY_BYTES),
]


@pytest.mark.parametrize(("method", "path", "limit"), ENTRY_POINTS)
def test_body_announced_as_too_large_is_refused_unread(method: str, path: str, limit: int) -> None:
    for length, status in ((limit, b""), (limit + 1, b"HTTP/1.1 413")):
        server, channel, transport = connected()
        channel.dataReceived(begun(path, f"Content-Length: {length}", method=method))
        assert transport.value()[:12] == status
        channel.dataReceived(b"x" * 1000)
        [request] = channel._channel.requests
        assert request.content.tell() == (0 if status else 1000)
        assert not hasattr(server, "request")


@pytest.mark.parametrize(("method", "path", "limit"), ENTRY_POINTS)
def test_body_without_length_is_refused_once_too_large(method: str, path: str, limit: int) -> None:
    server, channel, transport = connected()
    channel.dataReceived(begun(path, "Transfer-Encoding: chunked", method=method))
    piece = b"%x\r\n%s\r\n" % (2**20, b"x" * 2**20)
    for _ in range(limit // 2**20 + 1):
        channel.dataReceived(piece)
    assert transport.value().startswith(b"HTTP/1.1 413")
    [request] = channel._channel.requests
    assert request.content.tell() == 0
    channel.dataReceived(b"0\r\n\r\n")
    assert not hasattr(server, "request")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/login/", "Requête trop volumineuse"),
        ("/api/v1/conversations/", "Cette requête est trop volumineuse."),
        ("/desk/c/1/attachments/x/", "Ce fichier est trop volumineux. La limite est de 10 Mo."),
    ],
)
def test_refusal_is_a_sentence_in_the_client_language(path: str, sentence: str) -> None:
    _server, channel, transport = connected()
    method = "PUT" if "attachments" in path else "POST"
    headers = (
        "Content-Length: 99999999",
        "Accept-Language: fr-CA;q=0.9, xx",
        "Expect: 100-continue",
    )
    channel.dataReceived(begun(path, *headers, method=method))
    answer = transport.value().decode()
    head, body = answer.split("\r\n\r\n", 1)
    assert sentence in body
    assert f"Content-Length: {len(body.encode())}" in head
    assert "Connection: close" in head
    assert "100 Continue" not in answer


def test_refused_client_is_disconnected_after_two_seconds() -> None:
    clock = Clock()
    _server, channel, transport = connected(clock)
    channel.dataReceived(begun("/", "Content-Length: 99999999"))
    assert not transport.disconnecting
    clock.advance(LINGER_SECONDS)
    assert transport.disconnecting


def test_slow_body_is_cut_off() -> None:
    clock = Clock()
    server, channel, transport = connected(clock)
    channel.dataReceived(begun("/login/", "Content-Length: 60000"))
    for _ in range(PATIENCE_SECONDS):
        channel.dataReceived(b"x")
        clock.advance(1)
    assert transport.value().startswith(b"HTTP/1.1 408")
    assert not hasattr(server, "request")


def test_large_file_may_take_longer_at_a_steady_pace() -> None:
    clock = Clock()
    server, channel, transport = connected(clock)
    size = 120 * PACE_BYTES * 2
    channel.dataReceived(begun("/desk/c/1/attachments/x/", f"Content-Length: {size}", method="PUT"))
    for _ in range(119):
        channel.dataReceived(b"x" * (size // 120))
        clock.advance(1)
    assert transport.value() == b""
    clock.pump([5] * 30)
    assert transport.value().startswith(b"HTTP/1.1 408")
    assert not hasattr(server, "request")


def test_no_timer_remains_after_complete_request() -> None:
    clock = Clock()
    _server, channel, _transport = connected(clock)
    channel.dataReceived(POST + FORM)
    assert [call for call in clock.calls if call.func.__name__ == "_check_pace"] == []


def test_large_body_stays_on_disk(settings: Any) -> None:
    server, channel, _transport = connected()
    body = b"x" * (BODY_BYTES + 1)
    line = begun("/desk/c/1/attachments/x/", f"Content-Length: {len(body)}", method="PUT")
    channel.dataReceived(line + body)
    assert server.request.content.read() == b""
    on_disk = server.request.on_disk
    assert os.stat(on_disk.fileno()).st_dev == os.stat(settings.FILE_UPLOAD_TEMP_DIR).st_dev
    assert on_disk.read() == body
    server.request.connectionLost(Failure(ConnectionDone()))
    assert on_disk.closed


def test_root_path_header_from_outside_is_ignored() -> None:
    server, channel, _transport = connected()
    channel.dataReceived(begun("/", "Daphne-Root-Path: //evil.example", method="GET"))
    assert server.scope["root_path"] == ""
    assert b"daphne-root-path" not in dict(server.scope["headers"])


@pytest.mark.parametrize("path", ["/login/", "/messenger/demo/conversations/x/attachments/y/"])
def test_a_body_for_which_the_disk_has_no_room_is_refused(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``/dev/full`` is a file of Linux for this: each write to it fails as on a full disk."""

    def full() -> IO[bytes]:
        return open("/dev/full", "wb+", buffering=0)

    monkeypatch.setattr(temporary_files, "unnamed", full)
    server, channel, transport = connected()
    method = "PUT" if "attachments" in path else "POST"
    channel.dataReceived(begun(path, "Transfer-Encoding: chunked", method=method))
    channel.dataReceived(b"5\r\nwords\r\n")
    assert transport.value().startswith(b"HTTP/1.1 507")
    assert (b"no room for files" in transport.value()) == ("messenger" in path)
    assert not hasattr(server, "request")
