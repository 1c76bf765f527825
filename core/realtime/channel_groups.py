"""Channel groups by audience, and pushes to them. A push may be lost but never fails a request."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

Push = tuple[str, dict[str, Any]]

_held: ContextVar[dict[tuple[Any, ...], Push] | None] = ContextVar("held", default=None)
PATIENCE_SECONDS = 2  # A layer that hangs must not delay the response to a message.
AT_ONCE = 500


def visitor_group(visitor_id: int) -> str:
    return f"visitor.{visitor_id}"


def desk_group(agent_id: int) -> str:
    return f"desk.{agent_id}"


def team_group(group_id: int) -> str:
    return f"team.{group_id}"


def board_group(website_id: int) -> str:
    return f"board.{website_id}"


def viewers_group(conversation_id: int) -> str:
    """Return the group of those who look at the page of a conversation's visitor."""
    return f"viewers.{conversation_id}"


def recorders_group(conversation_id: int) -> str:
    """Return the group of the tabs whose page somebody looks at."""
    return f"recorders.{conversation_id}"


def browser_recorders_group(visitor_id: int) -> str:
    """The sockets by which one browser sends its page."""
    return f"browser-recorders.{visitor_id}"


def encode(frame: dict[str, Any]) -> str:
    """Return a frame as it is sent over the wire."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


@asynccontextmanager
async def together() -> AsyncIterator[None]:
    """Collect the pushes of the block and send them at its end, in one round trip and without
    duplicates: a board is notified once, however many conversations have moved."""
    held: dict[tuple[Any, ...], Push] = {}
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)
    await _send(list(held.values()))


async def push(group: str, frame: dict[str, Any], **known: Any) -> None:
    """Send ``frame`` to every socket of ``group``, encoded once. ``known`` is extra data for the
    consumers and never leaves the server. A failure is only logged: clients recover by
    themselves."""
    message = {"type": "frame", "text": encode(frame), **known}
    held = _held.get()
    if held is None:
        await _send([(group, message)])
    else:
        held.setdefault((group, *message.values()), (group, message))


async def push_bytes(group: str, data: bytes, **known: Any) -> None:
    """Send binary ``data`` to every socket of ``group``, as ``push`` does with a frame."""
    await _send([(group, {"type": "chunk", "data": data, **known})])


async def _send(pushes: list[Push]) -> None:
    try:
        for first in range(0, len(pushes), AT_ONCE):
            some = pushes[first : first + AT_ONCE]
            # For each batch, so that a long list is not cut by a limit meant for one write.
            async with asyncio.timeout(PATIENCE_SECONDS):
                await get_channel_layer().send_all(some)
    except Exception:
        groups = ", ".join(dict.fromkeys(group for group, _ in pushes[:AT_ONCE]))
        logger.warning("%d push(es) lost, to %s", len(pushes), groups, exc_info=True)
