"""How daphne drains: what it has open, and how each of it is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from config.web_servers.draining import Drain
from core.realtime.channel_health import SERVICE_RESTART

WEBSOCKET = "websocket"


class DaphneDrain(Drain):
    """Drains one server of daphne, which remembers its ports (``daphne_patches``)."""

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server

    def stop_listening(self) -> None:
        for port in self.server.ports:
            # What the kernel has already accepted for us alone would be reset.
            port.doRead()
            port.stopListening()

    def open_sockets(self) -> Iterator[Any]:
        for protocol, details in self.server.connections.items():
            is_socket = getattr(protocol, "application_type", "") == WEBSOCKET
            if is_socket and "disconnected" not in details:
                yield protocol

    def idle_connections(self) -> Iterator[Any]:
        # Daphne knows requests, not connections. Those between two requests are found only here.
        for reader in event_loop().getReaders():
            channel = getattr(getattr(reader, "protocol", None), "_channel", None)
            if channel is not None and not channel.requests:
                yield channel

    def is_working(self) -> bool:
        for details in self.server.connections.values():
            application = details.get("application_instance")
            is_gone = "disconnected" in details
            is_finished = is_gone if application is None else application.done()
            if not is_finished:
                return True
        return False

    def close_socket(self, socket: Any) -> None:
        if socket.state == socket.STATE_OPEN:
            socket.sendClose(code=SERVICE_RESTART)

    def close_connection(self, connection: Any) -> None:
        connection.loseConnection()

    def stop(self) -> None:
        # Daphne cancels what is left, and expects an application behind each connection.
        for protocol, details in list(self.server.connections.items()):
            if "application_instance" not in details:
                del self.server.connections[protocol]
        self.server.stop()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        event_loop().callLater(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        event_loop().callFromThread(call)


def event_loop() -> Any:
    """Return Twisted's reactor. It is made when it is imported, in the process that uses it."""
    from twisted.internet import reactor

    return reactor


def is_draining(server: Any) -> bool:
    drain = getattr(server, "drain", None)
    return drain is not None and drain.is_draining
