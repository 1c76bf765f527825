"""What a client meets under either server: the same answers, limits and sockets."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import Any

import aiohttp
import psutil
import pytest

from core.asgi.files import UPLOAD_BYTES
from tests.config.web_servers.conftest import WebProcess

UPLOAD = f"/messenger/demo/attachments/{'0' * 8}-0000-4000-8000-{'0' * 12}/"
MEBIBYTE = 2**20
OF_THE_SERVER = {"date", "transfer-encoding", "connection"}


class Line:
    """A connection on which requests are written byte by byte."""

    def __init__(self, web: WebProcess) -> None:
        self._socket = socket.create_connection(("127.0.0.1", web.port), 60)
        self._kept = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def write(self, head: str, body: bytes = b"") -> Line:
        self._socket.sendall(head.replace("\n", "\r\n").encode() + body)
        return self

    def read_line(self) -> bytes:
        """Return the first line of what comes next, or nothing if the server closed the line."""
        with suppress(ConnectionError):
            while b"\r\n" not in self._kept:
                piece = self._socket.recv(65536)
                if not piece:
                    return b""
                self._kept += piece
        line, _, self._kept = self._kept.partition(b"\r\n")
        return line

    def read_all(self) -> bytes:
        """Return everything until the server closes the line."""
        with suppress(ConnectionError):
            while piece := self._socket.recv(65536):
                self._kept += piece
        return self._kept


def asked(method: str, path: str, *headers: str) -> str:
    return "".join(f"{one}\n" for one in (f"{method} {path} HTTP/1.1", "Host: localhost", *headers))


def test_a_connection_serves_one_request_after_the_other(web: WebProcess) -> None:
    with Line(web) as line:
        two = asked("GET", "/healthz") + "\n" + asked("GET", "/healthz", "Connection: close") + "\n"
        answers = line.write(two).read_all()
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 2


def test_trace_and_head_are_answered_without_a_body(web: WebProcess) -> None:
    for method, status in (("TRACE", b"405"), ("HEAD", b"200")):
        with Line(web) as line:
            answer = line.write(asked(method, "/healthz", "Connection: close") + "\n").read_all()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (head.split()[1], body) == (status, b"")


def test_every_answer_has_the_security_headers_and_names_no_server(web: WebProcess) -> None:
    for path in ("/healthz", "/nothing/here/", "/embed.js", "/messenger/demo/state/"):
        with Line(web) as line:
            answer = line.write(asked("GET", path, "Connection: close") + "\n").read_all()
        head = answer.partition(b"\r\n\r\n")[0].decode().lower()
        names = set(re.findall(r"^([a-z-]+):", head, re.MULTILINE))
        assert {"x-content-type-options", "content-security-policy", "referrer-policy"} <= names
        assert "server" not in names


def test_a_request_that_is_no_http_is_refused(web: WebProcess) -> None:
    with Line(web) as line:
        assert b" 400 " in line.write("NONSENSE\n\n").read_line()


@pytest.mark.parametrize(
    "path", ["/%00", "/desk/c/%ff%fe/", "/healthz?next=%00", "//evil.example/"]
)
def test_an_odd_address_is_answered_and_no_fault_of_ours(web: WebProcess, path: str) -> None:
    with Line(web) as line:
        answer = line.write(asked("GET", path, "Connection: close") + "\n").read_line()
    assert answer.split()[1] in {b"200", b"302", b"400", b"404"}


def test_the_head_of_a_request_is_bounded(web: WebProcess) -> None:
    with Line(web) as line:
        with suppress(ConnectionError):
            for _ in range(200):  # one header that never ends, 3 MB of it
                line.write("" if _ else asked("GET", "/healthz") + "X-Long: ", b"x" * 16384)
        assert b"200" not in line.read_line()


def test_root_path_from_outside_is_ignored(web: WebProcess) -> None:
    with Line(web) as line:
        head = asked("GET", "/desk/", "Daphne-Root-Path: //evil.example", "Connection: close")
        answer = line.write(head + "\n").read_all()
    assert b"evil.example" not in answer


def test_a_small_body_is_read_whole_however_it_arrives(web: WebProcess) -> None:
    """The endpoint asks for a token before it reads: its 401 shows that the body arrived."""
    path = "/messenger/demo/conversations/00000000-0000-4000-8000-000000000000/messages/"
    with Line(web) as line:
        line.write(asked("POST", path, "Content-Length: 10", "Connection: close") + "\n", b"{}  ")
        line.write("", b"      ")
        assert b" 401 " in line.read_line()


def test_continue_is_said_only_where_the_body_is_wanted(web: WebProcess) -> None:
    expecting = "Expect: 100-continue"
    with Line(web) as line:
        line.write(asked("PUT", UPLOAD, "Content-Length: 5", expecting, "Connection: close") + "\n")
        assert line.read_line() == b"HTTP/1.1 100 Continue"
        assert line.read_line() == b""
        assert b" 401 " in line.write("", b"words").read_line()
    with Line(web) as line:
        too_large = f"Content-Length: {UPLOAD_BYTES + 1}"
        line.write(asked("PUT", UPLOAD, too_large, expecting) + "\n")
        assert b" 413 " in line.read_line()


def test_a_refusal_reaches_a_client_that_still_sends(web: WebProcess) -> None:
    with Line(web) as line:
        line.write(
            asked("POST", "/login/", "Accept-Language: fr", "Content-Length: 9000000") + "\n"
        )
        with suppress(ConnectionError):
            for _ in range(8):
                line.write("", b"x" * MEBIBYTE)
        answer = line.read_all().decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "Requête trop volumineuse" in answer
    assert re.search("connection: close", answer, re.IGNORECASE)


def test_memory_is_unchanged_after_a_flood_of_bodies(web: WebProcess) -> None:
    seen: list[float] = []

    def flood() -> None:
        for path in ("/login/", "/messenger/demo/conversations/", "/nothing/", "/healthz"):
            with Line(web) as line:
                answer = send(line, "POST", path, "Transfer-Encoding: chunked", 40)
            assert answer in {b"", b"HTTP/1.1 413 Request Entity Too Large"}
            seen.append(resident(web.process))
        for _ in range(6):  # as large as a file may be, by nobody we know
            with Line(web) as line:
                assert b" 401 " in send(line, "PUT", UPLOAD, f"Content-Length: {10 * MEBIBYTE}", 10)
            seen.append(resident(web.process))

    flood()  # what a process loads once
    before = resident(web.process)
    seen.clear()
    flood()
    assert max(seen) - before < 8


def send(line: Line, method: str, path: str, header: str, megabytes: int) -> bytes:
    """Send a body as far as the server takes it; return the first line of the answer."""
    piece, end = b"x" * MEBIBYTE, b""
    if "chunked" in header:
        piece, end = b"100000\r\n" + piece + b"\r\n", b"0\r\n\r\n"
    line.write(asked(method, path, header) + "\n")
    with suppress(ConnectionError):
        for _ in range(megabytes):
            line.write("", piece)
        line.write("", end)
    return line.read_line()


def resident(process: psutil.Process) -> float:
    return process.memory_info().rss / MEBIBYTE


# --- Sockets


async def connected(web: WebProcess, path: str, origin: str) -> Any:
    """Return the status or the close code with which a socket is refused."""
    url = f"http://127.0.0.1:{web.port}"
    async with aiohttp.ClientSession(headers={"Origin": origin or url}) as http:
        try:
            async with http.ws_connect(url + path) as opened:
                await opened.receive()
                return opened.close_code
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status


async def test_a_socket_without_a_right_to_be_there_is_refused(web: WebProcess) -> None:
    for path in ("/ws/messenger/?ticket=none", "/ws/desk/", "/ws/board/", "/ws/nothing/"):
        assert await connected(web, path, "") == 403
    assert await connected(web, "/ws/desk/", "https://evil.example") == 403
