"""uvicorn with uvloop and httptools: the same service for less CPU (docs/operations.md).

It needs the extra ``uvicorn``. What daphne is told in ``daphne_patches`` is here an ASGI wrapper
(``body_collector``) and a limit for the head of a request, which uvicorn reads without end.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
import uvloop
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config.child_processes import STOP_SECONDS
from config.web_servers import PING_SECONDS, PONG_SECONDS
from config.web_servers.body_collector import BodyCollector
from config.web_servers.uvicorn_draining import UvicornDrain
from core.asgi.bodies import Application

LOADED = ("uvloop", "uvicorn.protocols.websockets.websockets_sansio_impl")
HEAD_SECONDS = 20
HEAD_BYTES = 64 * 1024
# Longer than a proxy keeps an idle connection (nginx: 60 s): it must be the one who closes it.
KEEP_ALIVE_SECONDS = 75
# Our clients' largest frames are those of calls. The consumers refuse less, with a code.
FRAME_BYTES = 1024 * 1024


class Protocol(HttpToolsProtocol):
    """A connection whose requests begin with a head of limited size and within limited time."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._head_timer is not None:
            self._head_size += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head_size > HEAD_BYTES:
            self._stop_timer()
            self.send_400_response("The head of this request is too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    @property
    def is_idle(self) -> bool:
        """Whether it is open for a next request, of which nothing has come yet."""
        is_answered = self.cycle is None or self.cycle.response_complete
        return is_answered and (self._head_timer is None or not self._head_size)

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_size = 0
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._close_silently)

    def _close_silently(self) -> None:
        self._head_timer = None
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def serve(listener: int, show_life: Callable[[], None], seconds: float) -> None:
    """Serve what connects to the socket ``listener`` until it has drained; call ``show_life`` from
    the event loop every ``seconds``, first when it listens."""
    from config.application import application  # not before Django is set up

    serve_application(application, listener, show_life, seconds)


def serve_application(
    application: Application, listener: int, show_life: Callable[[], None], seconds: float
) -> None:
    """Serve any application, as ``serve`` does with ours."""
    # The socket object, not its descriptor: of that, uvicorn would make a Unix socket, whose
    # connections keep Nagle's algorithm, which costs 40 ms and more.
    accepting = socket.socket(fileno=listener)
    drain = UvicornDrain(BodyCollector(application), accepting)
    server = drain.server = uvicorn.Server(configuration(drain))

    async def keep_showing() -> None:
        while not server.started:
            await asyncio.sleep(0.01)
        drain.install()  # uvicorn has just put its own handlers there
        while True:
            show_life()
            await asyncio.sleep(seconds)

    async def run() -> None:
        life = asyncio.create_task(keep_showing())
        await server.serve(sockets=[accepting])
        life.cancel()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def configuration(application: Any) -> uvicorn.Config:
    """Return uvicorn's settings: our logs instead of its own, and no compression in sockets, which
    would cost each of them memory."""
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=Protocol,
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        ws_per_message_deflate=False,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.BEHIND_PROXY,
        forwarded_allow_ips="*",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS // 2,
    )
