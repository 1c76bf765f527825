"""uvicorn's connections: a bounded head, no delay, and signs of life from the event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
import uvloop

from config.web_servers import uvicorn_server
from config.web_servers.uvicorn_server import HEAD_BYTES, HEAD_SECONDS, Protocol, configuration


class Transport(asyncio.Transport):
    """Records what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        pass

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


async def hello(scope: Any, _receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def connected(monkeypatch: pytest.MonkeyPatch) -> tuple[Protocol, Transport, list[Any]]:
    """Return a connection, what it writes, and the timers that are set, as (seconds, callback)."""
    config = configuration(hello)
    config.load()
    loop = asyncio.get_running_loop()
    timers: list[Any] = []

    def call_later(seconds: float, callback: Any, *arguments: Any) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(loop.time() + seconds, callback, arguments, loop)
        timers.append((seconds, timer))
        return timer

    state = uvicorn.server.ServerState()
    protocol = Protocol(config=config, server_state=state, app_state={}, _loop=loop)
    monkeypatch.setattr(loop, "call_later", call_later)
    transport = Transport()
    protocol.connection_made(transport)
    return protocol, transport, timers


def waiting(timers: list[Any]) -> list[float]:
    return [seconds for seconds, timer in timers if not timer.cancelled()]


async def test_a_head_that_does_not_arrive_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    protocol, transport, timers = connected(monkeypatch)
    for piece in (b"GET / HT", b"TP/1.1\r\n", b"Host: localhost\r\n"):
        protocol.data_received(piece)
    assert waiting(timers) == [HEAD_SECONDS]
    timers[0][1]._run()
    assert transport.is_closed


async def test_a_whole_head_stops_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol, transport, timers = connected(monkeypatch)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert waiting(timers) == []
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert transport.written.startswith(b"HTTP/1.1 204 ")
    protocol.data_received(b"GET / HT")  # the next one
    assert waiting(timers)[-1:] == [HEAD_SECONDS]
    protocol.connection_lost(None)
    assert waiting(timers) == []


async def test_a_head_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol, transport, _timers = connected(monkeypatch)
    protocol.data_received(b"GET / HTTP/1.1\r\nX-Long: ")
    for _ in range(HEAD_BYTES // 4096):
        protocol.data_received(b"x" * 4096)
    assert transport.written.startswith(b"HTTP/1.1 400 ")
    assert transport.is_closed


async def test_a_large_body_in_one_piece_with_its_head_is_no_long_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    protocol, transport, _timers = connected(monkeypatch)
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
    protocol.data_received(head + b"x" * 200_000)
    assert not transport.is_closed


def test_a_served_socket_sends_without_delay_and_shows_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With Nagle's algorithm, each push would wait for an acknowledgement: 40 ms and more."""
    signs: list[None] = []
    undelayed: list[int] = []

    class Watched(Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            own = transport.get_extra_info("socket")
            undelayed.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            with suppress(ConnectionError):
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    monkeypatch.setattr(uvicorn_server, "Protocol", Watched)
    monkeypatch.setattr(signal, "raise_signal", lambda number: None)
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())

    def show_life() -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
        signs.append(None)
        if len(signs) == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    uvicorn_server.serve(listener.detach(), show_life, 0.05)
    assert signal.getsignal(signal.SIGTERM) == before
    client.close()
    assert undelayed == [1]
    assert len(signs) >= 5
