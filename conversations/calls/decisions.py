"""Who may call whom, and what follows from a call that nobody answered.

Pure: no Django, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conversations.calls.states import CallEnd, Side


class Obstacle(StrEnum):
    """Why a side cannot call."""

    OFF = "off"
    NO_VIDEO = "no_video"
    NOT_ON_DESK = "not_on_desk"
    NOT_YOURS = "not_yours"
    NO_CONSENT = "no_consent"
    BLOCKED = "blocked"
    ONGOING = "ongoing"
    BUSY = "busy"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Case:
    """What decides whether a side may call the other in a conversation.

    ``is_busy``: the agent, or the visitor, is in another call. ``is_there``: the called side can be
    reached now.
    """

    has_calls: bool
    has_video: bool
    wants_video: bool
    is_on_desk: bool
    is_party: bool
    has_consented: bool
    is_blocked: bool
    is_ongoing: bool
    is_busy: bool
    is_there: bool


def obstacle(case: Case) -> Obstacle | None:
    """Return the first obstacle, in the order in which it should be explained."""
    checks = (
        (Obstacle.OFF, not case.has_calls),
        (Obstacle.NO_VIDEO, case.wants_video and not case.has_video),
        (Obstacle.NOT_ON_DESK, not case.is_on_desk),
        (Obstacle.NOT_YOURS, not case.is_party),
        (Obstacle.NO_CONSENT, not case.has_consented),
        (Obstacle.BLOCKED, case.is_blocked),
        (Obstacle.ONGOING, case.is_ongoing),
        (Obstacle.BUSY, case.is_busy),
        (Obstacle.AWAY, not case.is_there),
    )
    return next((kind for kind, is_so in checks if is_so), None)


def goes_back(
    *, end: CallEnd, begun_by: Side, has_timer: bool, is_for_calls: bool, is_on_desk: bool
) -> bool:
    """Return whether the conversation returns to its queue because its agent did not answer (C25).

    It does if the group takes unanswered conversations back (``has_timer``), or if the visitor
    came for the call (``is_for_calls``).
    """
    is_unanswered = end == CallEnd.NO_ANSWER and begun_by == Side.VISITOR
    return is_unanswered and is_on_desk and (has_timer or is_for_calls)
