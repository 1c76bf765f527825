"""The channel layer: groups by audience, and pushes that may be lost but never fail a request."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

_sent: ContextVar[set[tuple[Any, ...]] | None] = ContextVar("sent", default=None)
PATIENCE_SECONDS = 2  # A layer that hangs must not hold up the answer to a message.


def visitor_group(visitor_id: int) -> str:
    return f"visitor.{visitor_id}"


def desk_group(agent_id: int) -> str:
    return f"desk.{agent_id}"


def team_group(group_id: int) -> str:
    return f"team.{group_id}"


def board_group(website_id: int) -> str:
    return f"board.{website_id}"


def encode(frame: dict[str, Any]) -> str:
    """A frame as it goes over the wire."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


@contextmanager
def once() -> Iterator[None]:
    """Within this, what is pushed again to the same group is not sent again: a board is told once
    that it changed, however many conversations have moved."""
    token = _sent.set(set())
    try:
        yield
    finally:
        _sent.reset(token)


async def push(group: str, frame: dict[str, Any], **known: Any) -> None:
    """Send ``frame`` to every socket of ``group``, encoded here once for all of them; what is
    ``known`` beside it is for the sockets' own use and never leaves the server. A failure is
    logged: clients repair themselves."""
    message = {"type": "frame", "text": encode(frame), **known}
    sent = _sent.get()
    if sent is not None:
        same = (group, *message.values())
        if same in sent:
            return
        sent.add(same)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await get_channel_layer().group_send(group, message)
    except Exception:
        logger.warning("a push to %s was lost", group, exc_info=True)
