"""What became of the messages that left by an inbox, as the desk shows it."""

from __future__ import annotations

from typing import Any

from conversations.models import OutboundMessage, OutboundStatus

SHOWN = 200
"""The newest deliveries that are read; the ticks of older messages no longer change."""


def of(conversation_id: int) -> dict[int, tuple[str, str]]:
    """Return status and reason by message. A message without a row is being sent."""
    rows = OutboundMessage.objects.filter(conversation=conversation_id).order_by("-seq")
    return {
        seq: (status, reason if status in {OutboundStatus.OWED, OutboundStatus.FAILED} else "")
        for seq, status, reason in rows.values_list("seq", "status", "reason")[:SHOWN]
    }


def shown(deliveries: dict[int, tuple[str, str]], translated: Any) -> dict[str, dict[str, str]]:
    """Return deliveries as clients receive them; ``translated`` translates a reason."""
    return {
        str(seq): {"status": status, "reason": str(translated(reason)) if reason else ""}
        for seq, (status, reason) in deliveries.items()
    }
