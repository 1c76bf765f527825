"""Changes to daphne that its command line does not offer.

Daphne collects a body of any size before it calls the application, and then copies all of it into
the application's queue. Here a body is measured against the limit of its entry point before its
first byte is stored, a large one stays on disk, and a slow one is cut off. And a process that is
asked to end drains first (``config/web_servers/draining.py``).
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any

import daphne.http_protocol
import daphne.server

from config.web_servers import daphne_draining
from core import temporary_files
from core.asgi.bodies import LINGER_SECONDS, ON_DISK, PACE_BYTES, PATIENCE_SECONDS
from core.asgi.json_body import BODY_BYTES
from core.storage import is_full

logger = logging.getLogger(__name__)

ROOT_PATH = b"Daphne-Root-Path"

_create_application = daphne.server.Server.create_application
_listen_success = daphne.server.Server.listen_success
_run = daphne.server.Server.run


class Request(daphne.http_protocol.WebRequest):
    """A request whose body is bounded, and otherwise left to Django and to our raw endpoints.

    By default Twisted reads each POST first, in the event loop: it parses the content type as a
    mail header, and a form or an upload in full, and nobody uses the result.
    """

    limit = size = seconds = 0
    is_refused = False
    waiting: Any = None
    on_disk: IO[bytes] | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named, parsePOSTFormSubmission=False)

    def gotLength(self, length: int | None) -> None:
        """Refuse a body that is announced as too large; otherwise make room for it."""
        # Imported here: it needs Django's setup, and this class must be in place before.
        from config.body_limits import limit_of

        self.limit = limit_of(self._method(), self._path())
        is_small = length is not None and length <= BODY_BYTES
        self.content: IO[bytes] = BytesIO()
        if not is_small:
            try:
                self.content = temporary_files.unnamed()
            except OSError as fault:
                self._refuse_if_full(fault)
                return
        if length is not None and length > self.limit:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif length != 0:
            self._watch_pace(PATIENCE_SECONDS)

    def handleContentChunk(self, data: bytes) -> None:
        """Store a piece of the body, unless it has become too large."""
        if self.is_refused:
            return
        self.size += len(data)
        if self.size > self.limit:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            try:
                super().handleContentChunk(data)
            except OSError as fault:
                self._refuse_if_full(fault)

    def requestReceived(self, *line: bytes) -> None:
        """Start the application once the whole body is here."""
        self._stop_watching()
        if not self.is_refused:
            super().requestReceived(*line)

    def process(self) -> Any:
        # Otherwise anybody could choose the prefix of our addresses.
        self.requestHeaders.removeHeader(ROOT_PATH)
        if self.size > BODY_BYTES:
            self.on_disk, self.content = self.content, BytesIO()
            self.on_disk.seek(0)
        return super().process()

    def refuse(self, status: HTTPStatus) -> None:
        """Answer at once, store nothing more, and close the connection."""
        from config.body_limits import refusal
        from config.response_headers import missing

        self.is_refused = True
        self._stop_watching()
        self.content.close()
        self.content = BytesIO()
        # Twisted would go on to tell the client that it may send the body.
        self.requestHeaders.removeHeader(b"Expect")
        accepted = self.requestHeaders.getRawHeaders(b"Accept-Language", [b""])[0]
        kind, body = refusal(status, self._path(), accepted.decode("latin-1"))
        headers = [
            *((b"Content-Type", kind.encode()), (b"Content-Length", str(len(body)).encode())),
            *((b"Connection", b"close"), (b"Cache-Control", b"no-store")),
        ]
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}".encode(),
            *(b": ".join(header) for header in headers + missing(headers)),
        ]
        transport = self.channel.transport
        transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        # A connection that is closed while the client still sends would lose the answer.
        self.channel.callLater(LINGER_SECONDS, transport.abortConnection)

    def _refuse_if_full(self, fault: OSError) -> None:
        if not is_full(fault):
            raise fault
        logger.error("the disk is full: a request was refused (%s)", fault)
        self.refuse(HTTPStatus.INSUFFICIENT_STORAGE)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Pass on a part of the answer, the last one of its connection if this process drains."""
        if self.channel is not None and daphne_draining.is_draining(self.server):
            self.responseHeaders.setRawHeaders(b"connection", [b"close"])
            self.channel.persistent = False
        super().handle_reply(message)

    def finish(self) -> None:
        super().finish()
        self._close()

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self._close()

    def _close(self) -> None:
        self._stop_watching()
        if self.on_disk is not None:
            self.on_disk.close()

    def _method(self) -> str:
        return str(self.channel._command.decode("latin-1"))

    def _path(self) -> str:
        return str(self.channel._path.partition(b"?")[0].decode("latin-1"))

    def _watch_pace(self, seconds: int) -> None:
        self.seconds += seconds
        self.waiting = self.channel.callLater(seconds, self._check_pace)

    def _check_pace(self) -> None:
        self.waiting = None
        if self.size < self.seconds * PACE_BYTES:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self._watch_pace(PATIENCE_SECONDS // 4)

    def _stop_watching(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None


def create_application(server: Any, protocol: Any, scope: dict[str, Any]) -> Any:
    """Hand the file with a large body to the application, beside the scope."""
    on_disk = getattr(protocol, "on_disk", None)
    if on_disk is not None:
        scope["extensions"] = {ON_DISK: on_disk}
    return _create_application(server, protocol, scope)


def listen_success(server: Any, port: Any) -> None:
    """Remember the port, which daphne forgets."""
    server.ports.append(port)
    _listen_success(server, port)


def run(server: Any) -> None:
    """Serve until a signal, and drain before the end."""
    server.ports, server.drain = [], daphne_draining.DaphneDrain(server)
    if server.signal_handlers:
        # Later than Twisted's own handlers, which these replace.
        daphne_draining.event_loop().callWhenRunning(server.drain.install)
    _run(server)


def apply() -> None:
    """Make daphne use our request class, and drain. Call it in daphne's process, before it
    listens."""
    daphne.http_protocol.WebRequest = Request
    daphne.server.Server.create_application = create_application
    daphne.server.Server.listen_success = listen_success
    daphne.server.Server.run = run
