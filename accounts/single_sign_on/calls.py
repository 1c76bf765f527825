"""Questions to a provider: JSON, bounded in size and time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from core.outside_calls import Failed, Server
from core.outside_servers import Forbidden

SECONDS = 5.0
LIMIT = 256 * 1024


def ask(
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the JSON object at ``url``, or the answer to a form sent there; raise ``Failed``."""
    sent = {"Accept": "application/json", **(headers or {})}
    body = b""
    if form is not None:
        body = urlencode(form).encode()
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    method = "GET" if form is None else "POST"
    try:
        with Server(url, allowed=settings.PRIVATE_SERVERS) as server:
            answer = server.send(method, body, headers=sent, seconds=SECONDS, limit=LIMIT)
    except Forbidden:
        raise Failed("its address may not be called") from None
    if answer.status != 200 or answer.is_cut:
        raise Failed(f"status {answer.status}")
    try:
        content = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise Failed("the answer is not JSON") from None
    if not isinstance(content, dict):
        raise Failed("the answer is no object")
    return content
