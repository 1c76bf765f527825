"""The ASGI application: what it refuses before anything reads it, and HEAD at every address."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.urls import get_resolver

from config.application import http
from core.asgi import bodies
from core.asgi.bodies import ON_DISK, PIECE_BYTES
from core.asgi.files import UPLOAD_BYTES
from core.asgi.json_body import BODY_BYTES
from core.db import async_pool
from routing import snapshot_cache

HOST = (b"host", b"testserver")
UPLOAD = f"/messenger/demo/attachments/{'0' * 8}-0000-4000-8000-{'0' * 12}/"


@pytest.fixture
async def engines_at_rest() -> AsyncIterator[None]:
    yield
    await snapshot_cache.close()
    await async_pool.close()
    await sync_to_async(connections.close_all)()


async def asked(method: str, path: str, receive: Any = None, *headers: tuple[bytes, bytes]) -> Any:
    """Return the events of the answer: the start, and the pieces of the body."""
    sent: list[Any] = []
    bodies_left = [{"type": "http.request", "body": b"", "more_body": False}]

    async def once() -> Any:
        return bodies_left.pop() if bodies_left else await asyncio.Future()

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": method, "path": path, "query_string": b""}
    await http({**scope, "headers": [HOST, *headers]}, receive or once, send)
    return sent


@pytest.mark.parametrize(
    ("path", "method", "size"),
    [
        ("/login/", "POST", BODY_BYTES + 1),
        ("/messenger/demo/engagement/", "POST", BODY_BYTES + 1),
        ("/api/v1/me/", "POST", 2**20),
        (UPLOAD, "PUT", UPLOAD_BYTES + 1),
    ],
)
async def test_body_over_the_limit_of_its_entry_point_is_refused(
    path: str, method: str, size: int
) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")

    announced = (b"content-length", str(size).encode())
    start, body = await asked(method, path, never, announced)
    assert start["status"] == 413
    assert body["body"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
@pytest.mark.parametrize("path", ["/login/", "/nothing/here/", "/messenger/demo/engagement/"])
async def test_body_without_length_is_not_read_to_its_end(path: str) -> None:
    pieces = 0

    async def endless() -> dict[str, Any]:
        nonlocal pieces
        pieces += 1
        return {"type": "http.request", "body": b"x" * 2**14, "more_body": True}

    start, _body = await asked("POST", path, endless, (b"content-type", b"text/plain"))
    assert (start["status"], pieces) == (413, 5)


async def test_body_on_disk_is_read_piece_by_piece(tmp_path: Path) -> None:
    content = os.urandom(PIECE_BYTES * 2 + 10)
    (tmp_path / "body").write_bytes(content)
    seen: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while not seen or seen[-1]["type"] != "http.disconnect":
            seen.append(await receive())

    queued = [
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return queued.pop(0)

    with (tmp_path / "body").open("rb") as body:
        scope = {"headers": [], "extensions": {ON_DISK: body}}
        assert await bodies.serve(application, scope, receive, receive, limit=len(content))
    assert b"".join(event.get("body", b"") for event in seen) == content
    assert [event.get("more_body") for event in seen] == [True, True, False, None]


GETS = ["/healthz", "/login/", "/embed.js", "/demo/", "/api/docs/", "/nothing/here/"]
RAW = ["/desk/c/1/messages/", UPLOAD, "/messenger/demo/state/"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
@pytest.mark.parametrize("path", [*GETS, *RAW])
async def test_head_is_answered_as_get_without_the_body(path: str) -> None:
    get, *got = await asked("GET", path)
    head, *rest = await asked("HEAD", path)
    assert head["status"] == get["status"]
    assert any(event["body"] for event in got)
    assert [event["body"] for event in rest] == [b""]
    assert [name for name, _value in head["headers"]] == [name for name, _value in get["headers"]]


def test_addresses_tried_with_head_exist() -> None:
    for path in GETS[1:-1]:
        assert get_resolver().resolve(path)
