"""Daphne leaves the body of a form unparsed."""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import HTTPFactory
from daphne.server import Server
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport

import config.asgi  # noqa: F401 - arranges daphne, as in its own process

FORM = b"name=" + b"x" * 1000
POST = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(FORM)
)


class Seen(Server):
    """Daphne's server, which exposes the request instead of starting the application."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> None:
        self.request = protocol


def test_daphne_leaves_a_form_unparsed() -> None:
    server = Seen("config.asgi:application", endpoints=["none"])
    server.connections = {}  # as its ``run`` sets it
    channel = HTTPFactory(server).buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    channel.makeConnection(StringTransport())
    channel.dataReceived(POST + FORM)
    assert server.request.args == {}
    assert server.request.content.getvalue() == FORM
