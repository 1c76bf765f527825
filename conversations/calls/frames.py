"""What both sides of a call are told of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conversations.models import Call


def frame_of(call: Call) -> dict[str, Any]:
    """Return the call as JSON; each side adds its own name of the conversation."""
    return {
        "id": str(call.public_id),
        "status": call.status,
        "begun_by": call.begun_by,
        "video": call.has_video,
        "room": call.room,
        "agent": call.agent.display_name,
        "visitor_tab": str(call.visitor_tab or ""),
        "agent_tab": str(call.agent_tab or ""),
        "answered_at": call.answered_at.isoformat() if call.answered_at else None,
        "end": call.end,
        "ended_by": call.ended_by,
    }


def open_of_visitors(visitor_ids: Iterable[int]) -> list[tuple[str, dict[str, Any]]]:
    """Return the open calls of these browsers, each with its conversation's public id."""
    calls = _open().filter(conversation__visitor__in=list(visitor_ids))
    return [(str(call.conversation.public_id), frame_of(call)) for call in calls]


def open_of_agent(agent_id: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Return the agent's open calls, each with its conversation's number and the visitor's name."""
    calls = _open().filter(agent=agent_id)
    return [
        (call.conversation_id, call.conversation.visitor.shown_name, frame_of(call))
        for call in calls
    ]


def _open() -> Any:
    calls = Call.objects.filter(ended_at=None).order_by("pk")
    return calls.select_related("agent", "conversation__visitor")
