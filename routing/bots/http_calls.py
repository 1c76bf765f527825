"""HTTP calls of scenarios: what is sent, how long that may take, and what is read of the answer.

Only public servers at usual ports are called, without redirects; at most 256 kB are read. Whatever
goes wrong is an outcome without values, never an exception: the scenario has a way for it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import outside_calls, outside_servers
from core.text.cleaning import clean, line
from routing.bots.answers import LIMIT
from routing.bots.plays import Call

ANSWER_LIMIT = 256 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: ``values`` by name, or None if it failed."""

    values: Mapping[str, str] | None


class Failed(Exception):
    """The answer cannot be used. The text says why, without anything from the answer."""


def as_json(action: Call) -> dict[str, Any]:
    """Return a call as it is stored until it is made."""
    return {
        "method": action.method,
        "url": action.url,
        "body": dict(action.body),
        "seconds": action.seconds,
        "paths": dict(action.paths),
    }


def make(call: Mapping[str, Any]) -> Outcome:
    """Make a stored call and return its outcome."""
    try:
        return Outcome(read(_fetch(call), call["paths"]))
    except (Failed, outside_calls.Failed, outside_servers.Forbidden) as failed:
        is_ours = isinstance(failed, outside_servers.Forbidden)
        logger.warning("a bot's call failed: %s", "Forbidden" if is_ours else failed)
        return Outcome(None)


def _fetch(call: Mapping[str, Any]) -> bytes:
    headers = {"Accept": "application/json"}
    body = b""
    if call["method"] == "POST":
        headers["Content-Type"] = "application/json"
        body = json.dumps(call["body"]).encode()
    with outside_calls.Server(call["url"]) as server:
        answer = server.send(
            call["method"], body, headers=headers, seconds=call["seconds"], limit=ANSWER_LIMIT
        )
    if not answer.is_success:
        raise Failed(f"status {answer.status}")
    if answer.is_cut:
        raise Failed("the answer is too long")
    return answer.content


def read(content: bytes, paths: Mapping[str, str]) -> dict[str, str]:
    """Return the values at ``paths`` of a JSON answer, as one line of text each. What is missing,
    or is no plain value, is left out. Raise ``Failed`` if this is not JSON."""
    if not paths:
        return {}
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise Failed("the answer is not JSON") from None
    values = {}
    for name, path in paths.items():
        value = _at(answer, path)
        if isinstance(value, bool):
            values[name] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            values[name] = line(clean(str(value)), LIMIT)
    return values


def _at(answer: Any, path: str) -> Any:
    value = answer
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and len(part) < 6:
            value = value[int(part)] if int(part) < len(value) else None
        else:
            return None
    return value
