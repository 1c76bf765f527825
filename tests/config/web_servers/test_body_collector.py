"""Bodies are collected within their limits before the application begins."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.body_limits import limit_of
from config.web_servers.body_collector import BodyCollector, announced_length
from core import temporary_files
from core.asgi import bodies
from core.asgi.bodies import LINGER_SECONDS, PACE_BYTES, PATIENCE_SECONDS
from core.asgi.files import UPLOAD_BYTES
from core.asgi.json_body import BODY_BYTES
from tests.config.web_servers.test_daphne_patches import ENTRY_POINTS

UPLOAD = "/desk/c/1/attachments/x/"
CHUNKED = (b"transfer-encoding", b"chunked")
Piece = tuple[float, bytes]
"""After how many seconds a piece of the body arrives."""


class Clock(asyncio.SelectorEventLoop):
    """An event loop on which waiting takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0]._when)
        super()._run_once()


class Client:
    """Sends ``pieces`` as a body, then waits; records what was answered and when."""

    def __init__(self, pieces: list[Piece], *, goes: bool = False) -> None:
        self.pieces = list(pieces)
        self.goes = goes
        self.received: list[bytes] = []
        self.sent: list[dict[str, Any]] = []
        self.left: IO[bytes] | None = None
        self.answered_at: list[float] = []

    async def receive(self) -> dict[str, Any]:
        if self.pieces:
            seconds, body = self.pieces[0]
            await asyncio.sleep(seconds)
            self.pieces.pop(0)
            more = bool(self.pieces) or self.goes
            return {"type": "http.request", "body": body, "more_body": more}
        if self.goes:
            return {"type": "http.disconnect"}
        return await asyncio.Future()

    async def send(self, event: dict[str, Any]) -> None:
        self.sent.append(event)
        self.answered_at.append(asyncio.get_running_loop().time())

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the whole body and repeat it."""
    parts: list[bytes] = []

    async def read(_scope: Any, receive_piece: Any, _send: Any) -> None:
        more = True
        while more:
            event = await receive_piece()
            parts.append(event["body"])
            more = event["more_body"]

    await bodies.serve(read, scope, receive, send, limit=UPLOAD_BYTES)
    await send({"type": "http.response.start", "status": 200, "body": b"".join(parts)})


def serve(
    client: Client,
    *headers: tuple[bytes, bytes],
    method: str = "POST",
    path: str = "/login/",
    served: Any = application,
) -> Client:
    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    run(lambda: BodyCollector(served)(scope, client.receive, client.send))
    return client


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=Clock) as runner:
        runner.run(work())


def length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size).encode()


@given(st.lists(st.binary(max_size=50), max_size=8), st.booleans())
def test_the_application_receives_every_byte(pieces: list[bytes], is_announced: bool) -> None:
    body = b"".join(pieces)
    header = length(len(body)) if is_announced else CHUNKED
    client = serve(Client([(0, piece) for piece in pieces] or [(0, b"")]), header)
    assert client.sent[0] == {"type": "http.response.start", "status": 200, "body": body}


@pytest.mark.parametrize(("method", "path", "limit"), ENTRY_POINTS)
def test_body_announced_as_too_large_is_refused_unread(method: str, path: str, limit: int) -> None:
    client = serve(Client([(0, b"x")]), length(limit + 1), method=method, path=path)
    assert client.status == 413
    assert b"".join(event.get("body", b"") for event in client.sent)
    assert (b"connection", b"close") in client.sent[0]["headers"]


@pytest.mark.parametrize(("method", "path", "limit"), ENTRY_POINTS)
def test_body_without_length_is_refused_once_too_large(method: str, path: str, limit: int) -> None:
    pieces = [(0.0, b"x" * 2**20)] * 40
    client = serve(Client(pieces), CHUNKED, method=method, path=path)
    assert client.status == 413
    # What came after the answer was read and dropped, so that the client could read it.
    assert client.pieces == []


def test_a_body_may_be_as_large_as_its_limit() -> None:
    assert limit_of("PUT", UPLOAD) == UPLOAD_BYTES
    whole = [(0.0, os.urandom(2**20)) for _ in range(UPLOAD_BYTES // 2**20)]
    client = serve(Client(whole), length(UPLOAD_BYTES), method="PUT", path=UPLOAD)
    assert client.sent[0]["body"] == b"".join(piece for _seconds, piece in whole)


def test_a_large_body_is_on_disk_until_the_application_has_ended() -> None:
    kept: list[IO[bytes]] = []

    async def look(scope: Any, receive: Any, send: Any) -> None:
        kept.append(scope["extensions"][bodies.ON_DISK])
        assert not kept[0].closed
        await application(scope, receive, send)

    size = BODY_BYTES + 1
    serve(Client([(0, b"x" * size)]), length(size), method="PUT", path=UPLOAD, served=look)
    assert kept[0].closed


def test_a_slow_body_is_cut_off() -> None:
    client = serve(Client([(1.0, b"x")] * 60), length(60))
    assert client.status == 408
    assert client.answered_at[0] == PATIENCE_SECONDS


def test_a_large_file_may_take_longer_at_a_steady_pace() -> None:
    steady = [(1.0, b"x" * PACE_BYTES * 2)] * 120
    size = 120 * PACE_BYTES * 2
    assert serve(Client(steady), length(size), method="PUT", path=UPLOAD).status == 200
    stops = [*steady[:60], (1000.0, b"x")]
    client = serve(Client(stops), length(size), method="PUT", path=UPLOAD)
    assert client.status == 408
    assert 60 < client.answered_at[0] <= 120 + PATIENCE_SECONDS


def test_a_refused_client_may_read_the_answer_for_two_seconds() -> None:
    client = serve(Client([]), length(99_999_999))
    assert [event.get("more_body") for event in client.sent] == [None, True, None]
    assert client.answered_at[-1] - client.answered_at[0] == LINGER_SECONDS


def test_a_client_that_goes_is_not_answered() -> None:
    assert serve(Client([(0, b"half")], goes=True), length(8)).sent == []


def test_a_request_without_a_body_passes_untouched() -> None:
    seen: list[Any] = []

    async def untouched(_scope: Any, receive: Any, _send: Any) -> None:
        seen.append(receive)

    client = Client([])
    serve(client, method="GET", served=untouched)
    assert seen == [client.receive]


@pytest.mark.parametrize("path", ["/login/", "/messenger/demo/conversations/x/attachments/y/"])
def test_a_body_for_which_the_disk_has_no_room_is_refused(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``/dev/full`` is a file of Linux for this: each write to it fails as on a full disk."""

    def full() -> IO[bytes]:
        return open("/dev/full", "wb+", buffering=0)

    monkeypatch.setattr(temporary_files, "unnamed", full)
    method = "PUT" if "attachments" in path else "POST"
    client = serve(Client([(0, b"words")]), CHUNKED, method=method, path=path)
    assert client.status == 507
    assert (b"no room for files" in client.sent[1]["body"]) == ("messenger" in path)


def test_the_last_word_on_the_length_is_that_of_the_chunks() -> None:
    assert announced_length([]) == 0
    assert announced_length([length(5)]) == 5
    assert announced_length([length(5), CHUNKED]) is None
