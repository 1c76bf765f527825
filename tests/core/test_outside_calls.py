"""Calls to servers outside: to the address that was checked, and over when they must be."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core import outside_calls, outside_servers
from core.outside_calls import Failed, Server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Raw:
    """A server that answers with whatever bytes ``speak`` writes."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self.speak: Callable[[socket.socket], None] = lambda sock: sock.sendall(OK)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=é"

    def _accept(self) -> None:
        while True:
            try:
                sock, _address = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                while heard := sock.recv(65536):
                    self.heard.append(heard)
                    self.speak(sock)
            except OSError:
                return  # the caller has given up


@pytest.fixture
def raw(settings: Any) -> Iterator[Raw]:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    server = Raw()
    yield server
    server.listener.close()


def send(server: Server, **more: Any) -> Any:
    options = {"headers": {"X-Y": "z"}, "seconds": 1.0, "limit": 1000} | more
    return server.send("GET", **options)


def drip(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Return a way to answer that never falls silent and never ends."""

    def speak(sock: socket.socket) -> None:
        sock.sendall(head)
        for _ in range(200):
            sock.sendall(piece)
            time.sleep(0.05)

    return speak


def test_a_connection_is_used_again(raw: Raw) -> None:
    with Server(raw.url) as server:
        answers = [send(server) for _ in range(3)]
    assert [(one.status, one.content) for one in answers] == [(200, b"ok")] * 3
    assert raw.connections == 1
    head = raw.heard[0].decode()
    assert head.startswith("GET /hook?x=%C3%A9 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{raw.port}\r\n" in head
    assert "X-Y: z\r\n" in head


@pytest.mark.parametrize(
    "speak",
    [
        lambda sock: time.sleep(3),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        drip(b"HTTP/1.1 200 ", b"O"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["silent", "headers", "status line", "body", "chunks"],
)
def test_a_server_that_drips_cannot_hold_its_caller(
    raw: Raw, speak: Callable[[socket.socket], None]
) -> None:
    raw.speak = speak
    began = time.monotonic()
    with Server(raw.url) as server, pytest.raises(Failed, match="too long"):
        send(server)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff\xfe garbage\r\n\r\n",
        b"",
        b"HTTP/1.1 9 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["garbage", "nothing", "status", "half", "many headers", "long header"],
)
def test_an_invalid_http_response_is_a_failure(raw: Raw, answer: bytes) -> None:
    def speak(sock: socket.socket) -> None:
        sock.sendall(answer)
        sock.shutdown(socket.SHUT_RDWR)

    raw.speak = speak
    with Server(raw.url) as server, pytest.raises(Failed):
        send(server)


def test_an_endless_answer_is_cut_and_its_rest_is_no_second_answer(raw: Raw) -> None:
    size = 10_000_000
    raw.speak = lambda sock: sock.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    )
    with Server(raw.url) as server:
        first = send(server)
        raw.speak = lambda sock: sock.sendall(OK)
        second = send(server)
    assert (first.status, len(first.content), first.is_cut) == (200, 1000, True)
    assert (second.content, second.is_cut, raw.connections) == (b"ok", False, 2)


def test_a_redirect_is_an_answer_and_is_not_followed(raw: Raw) -> None:
    raw.speak = lambda sock: sock.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    )
    with Server(raw.url) as server:
        answer = send(server)
    assert (answer.status, answer.is_success, len(raw.heard)) == (302, False, 1)


def test_private_servers_are_refused_when_saved_and_when_called(raw: Raw, settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = False
    for refuse in (outside_calls.check, Server):
        with pytest.raises(outside_servers.Forbidden):
            refuse(raw.url)
    allowed = outside_servers.read([f"127.0.0.1:{raw.port}"])
    outside_calls.check(raw.url, allowed=allowed)
    with Server(raw.url, allowed=allowed) as server:
        assert send(server).status == 200


def test_the_certificate_is_that_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.outside_servers.check", lambda *_, **__: "2606:4700::1111")
    server = Server("https://api.example.com:8443/x")
    connection = server._connection
    assert (connection.host, connection.port) == ("2606:4700::1111", 8443)
    asked: list[Any] = []

    class Tls:
        def wrap_socket(self, sock: Any, *, server_hostname: str) -> Any:
            asked.append(server_hostname)
            raise ssl.SSLCertVerificationError

    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: socket.socket())
    connection._create_connection = lambda *_, **__: socket.socket()
    connection._tls = Tls()
    with pytest.raises(Failed, match="SSLCertVerificationError"):
        send(server)
    assert asked == ["api.example.com"]
    context = outside_calls._authorities()
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
