"""Calls to providers: JSON and forms with a file, over the client for servers outside."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from core import outside_calls, outside_servers
from core.asgi.files import UPLOAD_BYTES
from messenger.channels.connector import Later, OutgoingFile, Undeliverable

SECONDS = 20.0
ANSWER_BYTES = 256 * 1024
WAIT_LIMIT = 3600.0
"""A provider that asks for a longer pause is asked again after an hour."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answered; ``data`` is empty if it was no JSON object. The names of
    ``headers`` are in lower case."""

    status: int
    data: dict[str, Any] = field(default_factory=dict)
    content: bytes = b""
    retry_after: float = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def call(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    limit: int = ANSWER_BYTES,
) -> Reply:
    """Make a call; raise ``Later`` if there is no answer, or one of a provider in trouble."""
    try:
        with outside_calls.Server(url, allowed=settings.PRIVATE_SERVERS) as server:
            answer = server.send(method, body, headers=headers or {}, seconds=SECONDS, limit=limit)
    except outside_servers.Forbidden:
        raise Later("the provider's address may not be called") from None
    except outside_calls.Failed as failed:
        raise Later(str(failed)) from None
    named = {name.lower(): value for name, value in answer.headers.items()}
    reply = Reply(
        answer.status, _object(answer.content), answer.content, _seconds(named), headers=named
    )
    if answer.status >= 500:
        raise Later(f"HTTP {answer.status}", seconds=reply.retry_after)
    if answer.is_cut:
        raise Undeliverable("the answer is too large")
    return reply


def call_json(
    method: str, url: str, data: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
) -> Reply:
    """Do the same with JSON."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    return call(method, url, body=json.dumps(data).encode(), headers=sent)


def call_form(
    url: str,
    fields: Mapping[str, str],
    *,
    part: str,
    file: OutgoingFile,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Post a form with one file, which is its ``part``."""
    # Random, so that no file contains it.
    boundary = uuid.uuid4().hex
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    # These characters would end the header of the part.
    name = file.name.replace("\\", "").replace('"', "'").replace("\r", "").replace("\n", "")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
        f"Content-Type: {file.content_type}\r\n\r\n"
    )
    body = b"".join([*lines, head.encode(), file.content, f"\r\n--{boundary}--\r\n".encode()])
    kind = f"multipart/form-data; boundary={boundary}"
    return call("POST", url, body=body, headers={"Content-Type": kind, **(headers or {})})


def download(url: str, *, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a file of a provider, at most as large as an upload."""
    reply = call("GET", url, headers=headers, limit=UPLOAD_BYTES)
    if reply.status == 429:
        raise Later("HTTP 429", seconds=reply.retry_after)
    if not reply.is_success:
        raise Undeliverable(f"HTTP {reply.status}")
    return reply.content


def _object(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _seconds(headers: Mapping[str, str]) -> float:
    """Return the seconds of ``Retry-After``; a date counts as none."""
    named = headers.get("retry-after", "")
    return min(float(named), WAIT_LIMIT) if named.isdecimal() else 0.0
