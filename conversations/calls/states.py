"""The life of a call as data: which step leads from which state to which, and how it ends.

Pure: no Django, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LOST_SECONDS = 30
"""How long a side may be silent, as while its page is loaded again, before the call is over."""


class Side(StrEnum):
    """One of the two parties of a call."""

    VISITOR = "visitor"
    AGENT = "agent"

    @property
    def other(self) -> Side:
        return Side.AGENT if self == Side.VISITOR else Side.VISITOR


class CallStatus(StrEnum):
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    MISSED = "missed"
    DECLINED = "declined"
    FAILED = "failed"


OPEN = frozenset({CallStatus.RINGING, CallStatus.ANSWERED})


class CallStep(StrEnum):
    """What can happen to a call."""

    ANSWER = "answer"
    DECLINE = "decline"
    CANCEL = "cancel"
    HANG_UP = "hang_up"
    EXPIRE = "expire"
    LOSE = "lose"
    LEAVE = "leave"
    FAIL = "fail"


class CallEnd(StrEnum):
    """Why a call is over."""

    HUNG_UP = "hung_up"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    NO_ANSWER = "no_answer"
    LOST = "lost"
    MOVED = "moved"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a step leads from one state, and why the call is over then."""

    status: CallStatus
    end: CallEnd | None = None


PASSAGES: dict[tuple[CallStatus, CallStep], Passage] = {
    (CallStatus.RINGING, CallStep.ANSWER): Passage(CallStatus.ANSWERED),
    (CallStatus.RINGING, CallStep.DECLINE): Passage(CallStatus.DECLINED, CallEnd.DECLINED),
    (CallStatus.RINGING, CallStep.CANCEL): Passage(CallStatus.MISSED, CallEnd.CANCELLED),
    (CallStatus.RINGING, CallStep.EXPIRE): Passage(CallStatus.MISSED, CallEnd.NO_ANSWER),
    (CallStatus.RINGING, CallStep.LEAVE): Passage(CallStatus.MISSED, CallEnd.MOVED),
    (CallStatus.RINGING, CallStep.FAIL): Passage(CallStatus.FAILED, CallEnd.FAILED),
    (CallStatus.ANSWERED, CallStep.HANG_UP): Passage(CallStatus.ENDED, CallEnd.HUNG_UP),
    (CallStatus.ANSWERED, CallStep.LOSE): Passage(CallStatus.ENDED, CallEnd.LOST),
    (CallStatus.ANSWERED, CallStep.LEAVE): Passage(CallStatus.ENDED, CallEnd.MOVED),
    (CallStatus.ANSWERED, CallStep.FAIL): Passage(CallStatus.FAILED, CallEnd.FAILED),
}


class NoSuchStep(Exception):
    """The call is in another state by now, as after a lost race."""

    def __init__(self, status: CallStatus, step: CallStep) -> None:
        self.status, self.step = status, step
        super().__init__(f"{step.value} is not possible while {status.value}")


def passage(status: CallStatus, step: CallStep) -> Passage:
    """Return where ``step`` leads from ``status``; ``NoSuchStep`` if it is not possible."""
    leads_to = PASSAGES.get((status, step))
    if leads_to is None:
        raise NoSuchStep(status, step)
    return leads_to


def step_to_end(status: CallStatus, *, by: Side, begun_by: Side) -> CallStep:
    """Return what the one red button does: decline, cancel or hang up."""
    if status == CallStatus.RINGING:
        return CallStep.CANCEL if by == begun_by else CallStep.DECLINE
    return CallStep.HANG_UP
