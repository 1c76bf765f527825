"""Who answers a visitor, as the visitor may truly be told: a pure function of plain data (C52)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from conversations.lifecycle.transitions import Status

RECENTLY = timedelta(minutes=5)
"""For so long after their last message somebody without a desk (a program that answers by the API)
counts as there."""


class Part(StrEnum):
    """What an agent does in a conversation at this moment."""

    TALKING = "talking"  # has it on the desk, has written since, and is there
    RECEIVED = "received"  # has it on the desk, is there, and has not written since
    AWAY = "away"  # has it on the desk, and is not there
    EXPECTED = "expected"  # it waits for this agent
    ENDED = "ended"  # had it when it was closed


@dataclass(frozen=True, slots=True)
class Respondent:
    """An agent by the name that visitors read, and their part."""

    name: str
    part: Part


def respondent(
    status: str,
    name: str | None,
    *,
    since: datetime,
    wrote_at: datetime | None,
    is_connected: bool,
    at: datetime,
) -> Respondent | None:
    """Return who answers; ``None`` where nobody does: it waits, is paused, or a bot has it.

    ``since`` is when the conversation came into its state, ``wrote_at`` when an agent last wrote in
    it, ``is_connected`` whether the desk of the agent who has it was heard lately.
    """
    if not name:
        return None
    match status:
        case Status.CLOSED:
            return Respondent(name, Part.ENDED)
        case Status.ASSIGNED:
            return Respondent(name, Part.EXPECTED)
        case Status.ACTIVE:
            # Only who has it on the desk can write: what was written since is theirs.
            has_written = wrote_at is not None and wrote_at >= since
            is_there = is_connected or (
                has_written and wrote_at is not None and at - wrote_at < RECENTLY
            )
            if not is_there:
                return Respondent(name, Part.AWAY)
            return Respondent(name, Part.TALKING if has_written else Part.RECEIVED)
    return None
