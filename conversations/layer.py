"""The channel layer: groups by audience, and pushes that may be lost but never fail a request."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2  # A layer that hangs must not hold up the answer to a message.


def visitor_group(visitor_id: int) -> str:
    return f"visitor.{visitor_id}"


def desk_group(agent_id: int) -> str:
    return f"desk.{agent_id}"


def board_group(website_id: int) -> str:
    return f"board.{website_id}"


async def push(group: str, frame: dict[str, Any], **known: Any) -> None:
    """Send ``frame`` to every socket of ``group``; what is ``known`` beside it is for the sockets'
    own use and never leaves the server. A failure is logged: clients repair themselves."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = {"type": "frame", "frame": frame, **known}
            await get_channel_layer().group_send(group, message)
    except Exception:
        logger.warning("a push to %s was lost", group, exc_info=True)
