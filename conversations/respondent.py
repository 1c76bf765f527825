"""The respondent whom a visitor is shown: a pure function of plain data (C52)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from conversations.lifecycle.transitions import Status

RECENTLY = timedelta(minutes=5)
"""How long after their last message an agent without a desk (a program that uses the API) counts as
present."""


class Part(StrEnum):
    """The part that an agent has in a conversation at this moment."""

    TALKING = "talking"  # has it on the desk, is present, has written since
    RECEIVED = "received"  # has it on the desk, is present, has not written since
    AWAY = "away"  # has it on the desk, is not present
    EXPECTED = "expected"  # it is assigned to them
    ENDED = "ended"  # had it when it was closed


@dataclass(frozen=True, slots=True)
class Respondent:
    """An agent's name for visitors, and their part."""

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
    """Return who answers, or ``None`` while the conversation waits, is paused or is with a bot.

    ``since`` is when the conversation entered its state, ``wrote_at`` when an agent last wrote in
    it, ``is_connected`` whether its agent is connected.
    """
    if not name:
        return None
    match status:
        case Status.CLOSED:
            return Respondent(name, Part.ENDED)
        case Status.ASSIGNED:
            return Respondent(name, Part.EXPECTED)
        case Status.ACTIVE:
            # Only its agent can write, so messages since then are theirs.
            has_written = wrote_at is not None and wrote_at >= since
            is_there = is_connected or (
                has_written and wrote_at is not None and at - wrote_at < RECENTLY
            )
            if not is_there:
                return Respondent(name, Part.AWAY)
            return Respondent(name, Part.TALKING if has_written else Part.RECEIVED)
    return None
