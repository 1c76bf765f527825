"""A keep-alive HTTP/1.1 connection, so lean that the load process hardly shows in its figures."""

from __future__ import annotations

import asyncio
import json
from typing import Any

END_OF_HEAD = b"\r\n\r\n"
TRIES = 2  # The server may close an idle connection just as we write to it.


class Connection(asyncio.Protocol):
    """Sends one request at a time, with the same headers, and reads its JSON response."""

    def __init__(self, host: str, port: int, headers: dict[str, str]) -> None:
        self._address = (host, port)
        always = {"Host": f"{host}:{port}", "Content-Type": "application/json"} | headers
        self._head = "".join(f"{name}: {value}\r\n" for name, value in always.items())
        self._lock = asyncio.Lock()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[int, Any]] | None = None

    async def get(self, path: str) -> tuple[int, Any]:
        return await self._request("GET", path, b"")

    async def post(self, path: str, payload: dict[str, Any]) -> tuple[int, Any]:
        return await self._request("POST", path, json.dumps(payload, ensure_ascii=False).encode())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def _request(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        async with self._lock:
            for left in reversed(range(TRIES)):
                loop = asyncio.get_running_loop()
                if self._transport is None:
                    await loop.create_connection(lambda: self, *self._address)
                assert self._transport is not None
                self._answer = loop.create_future()
                self._transport.write(head.encode() + body)
                try:
                    return await self._answer
                except ConnectionError:
                    if not left:
                        raise
        raise AssertionError("unreachable")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(END_OF_HEAD)
        if end < 0 or self._answer is None or self._answer.done():
            return
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in map(_parts, lines[1:])}
        start = end + len(END_OF_HEAD)
        stop = start + int(headers.get("content-length", 0))
        if len(self._buffer) < stop:
            return
        body = bytes(self._buffer[start:stop])
        del self._buffer[:stop]
        status = int(lines[0].split(" ", 2)[1])
        is_json = headers.get("content-type", "").startswith("application/json")
        self._answer.set_result((status, json.loads(body) if is_json and body else None))


def _parts(line: str) -> tuple[str, str, str]:
    return line.partition(":")
