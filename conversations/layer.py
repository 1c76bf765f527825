"""The channel layer: groups by audience, and pushes that may be lost but never fail a request."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

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


async def push(group: str, frame: dict[str, Any], **known: Any) -> None:
    """Send ``frame`` to every socket of ``group``, encoded here once for all of them; what is
    ``known`` beside it is for the sockets' own use and never leaves the server. A failure is
    logged: clients repair themselves."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = {"type": "frame", "text": encode(frame), **known}
            await get_channel_layer().group_send(group, message)
    except Exception:
        logger.warning("a push to %s was lost", group, exc_info=True)
