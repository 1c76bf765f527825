"""How uvicorn drains: what it has open, and how each of it is closed.

By itself it would close everything at once, with a code that our clients take for an accident.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from config.web_servers.draining import Drain
from core.asgi.bodies import Application, Receive, Scope, Send
from core.realtime.channel_health import SERVICE_RESTART


class UvicornDrain(Drain):
    """Drains one server of uvicorn, and tells its clients with each answer that it is the last."""

    server: uvicorn.Server

    def __init__(self, application: Application, listener: socket.socket) -> None:
        super().__init__()
        self._application = application
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, as the application that uvicorn runs."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_last(event: dict[str, Any]) -> None:
            if self.is_draining and event["type"] == "http.response.start":
                event = {**event, "headers": [*event["headers"], (b"connection", b"close")]}
            await send(event)

        await self._application(scope, receive, send_last)

    def stop_listening(self) -> None:
        for server in self.server.servers:
            server.close()
        self._listener.close()

    def open_sockets(self) -> Iterator[Any]:
        for connection in self.server.server_state.connections:
            if isinstance(connection, WebSocketsSansIOProtocol):
                yield connection

    def idle_connections(self) -> Iterator[Any]:
        for connection in self.server.server_state.connections:
            if not isinstance(connection, WebSocketsSansIOProtocol) and connection.is_idle:  # type: ignore[union-attr]
                yield connection

    def is_working(self) -> bool:
        return bool(self.server.server_state.tasks or self.server.server_state.connections)

    def close_socket(self, socket: Any) -> None:
        if socket.handshake_complete and not socket.transport.is_closing():
            socket.stop_keepalive()
            # As uvicorn's own `shutdown` does, with another code.
            socket.queue.put_nowait({"type": "websocket.disconnect", "code": SERVICE_RESTART})
            socket.conn.send_close(SERVICE_RESTART)
            socket.transport.write(b"".join(socket.conn.data_to_send()))
            socket.transport.close()

    def close_connection(self, connection: Any) -> None:
        connection.transport.close()

    def stop(self) -> None:
        # We have waited already; what is left is cancelled.
        self.server.config.timeout_graceful_shutdown = 1
        self.server.should_exit = True

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        self.loop.call_soon_threadsafe(call)

    def install(self) -> None:
        self.loop = asyncio.get_running_loop()
        super().install()
