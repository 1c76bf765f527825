"""The state machine as data: the sources and the target of each verb.

Pure: no Django, no clock. The diagram in ``docs/lifecycle.md`` is generated from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    BOT = "bot"
    QUEUED = "queued"
    ASSIGNED = "assigned"
    ACTIVE = "active"
    SNOOZED = "snoozed"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    CLOSED = "closed"


class Verb(StrEnum):
    START_BOT = "start_bot"
    QUEUE = "queue"
    ESCALATE = "escalate"
    PUSH = "push"
    TAKE = "take"
    TRANSFER_TO_GROUP = "transfer_to_group"
    TRANSFER_TO_AGENT = "transfer_to_agent"
    EXPIRE = "expire"
    RELEASE = "release"
    REQUEUE = "requeue"
    DROP_SKILLS = "drop_skills"
    SNOOZE = "snooze"
    WAKE_TO_AGENT = "wake_to_agent"
    WAKE_TO_GROUP = "wake_to_group"
    SET_PENDING = "set_pending"
    SET_ON_HOLD = "set_on_hold"
    SOLVE = "solve"
    REOPEN = "reopen"
    REOPEN_TO_GROUP = "reopen_to_group"
    UNASSIGN = "unassign"
    TAKE_BACK = "take_back"
    CLOSE = "close"
    IMPORT = "import"


class EndReason(StrEnum):
    """Why a contact ended (C24)."""

    TRANSFERRED = "transferred"
    SNOOZED = "snoozed"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    RELEASED = "released"
    UNANSWERED = "unanswered"
    BLOCKED = "blocked"
    CLOSED = "closed"


class DeadlineKind(StrEnum):
    """What happens to a conversation at its deadline."""

    SNOOZE_END = "snooze_end"
    ASSIGNMENT_EXPIRY = "assignment_expiry"
    BOT_INACTIVITY = "bot_inactivity"
    SOLVED_WINDOW = "solved_window"
    ANSWER_TIMER = "answer_timer"
    SKILL_RELAXATION = "skill_relaxation"
    BOT_SILENCE = "bot_silence"


class Refused(Exception):
    """A verb is not possible in the current state, as after a lost race (a 409, not a 500)."""

    def __init__(self, verb: Verb, status: Status | None, why: str = "") -> None:
        self.verb = verb
        self.status = status
        self.why = why
        super().__init__(why or f"{verb.value} is not possible from {status and status.value}")


@dataclass(frozen=True, slots=True)
class Transition:
    """The ``sources`` of a verb (``None``: the conversation does not exist yet), its ``target``
    (``None``: the source), and why it ends the contact, if one is open."""

    sources: frozenset[Status | None]
    target: Status | None
    ends_contact: EndReason | None = None

    def target_from(self, source: Status | None) -> Status:
        """Return the status that the verb leads to from one of its sources."""
        target = self.target or source
        assert target is not None, "a conversation begins in a state"
        return target


def _from(
    *sources: Status | None, to: Status | None, ends_contact: EndReason | None = None
) -> Transition:
    return Transition(frozenset(sources), to, ends_contact)


WAITING = frozenset({Status.QUEUED, Status.ASSIGNED})
PAUSED = frozenset({Status.SNOOZED, Status.PENDING, Status.ON_HOLD, Status.SOLVED})

TRANSITIONS: dict[Verb, Transition] = {
    Verb.START_BOT: _from(None, to=Status.BOT),
    Verb.QUEUE: _from(None, to=Status.QUEUED),
    Verb.ESCALATE: _from(Status.BOT, to=Status.QUEUED),
    Verb.PUSH: _from(Status.QUEUED, Status.ASSIGNED, to=Status.ACTIVE),
    Verb.TAKE: _from(Status.ASSIGNED, to=Status.ACTIVE),
    Verb.TRANSFER_TO_GROUP: _from(
        Status.QUEUED,
        Status.ASSIGNED,
        Status.ACTIVE,
        to=Status.QUEUED,
        ends_contact=EndReason.TRANSFERRED,
    ),
    Verb.TRANSFER_TO_AGENT: _from(
        Status.QUEUED,
        Status.ASSIGNED,
        Status.ACTIVE,
        to=Status.ASSIGNED,
        ends_contact=EndReason.TRANSFERRED,
    ),
    Verb.EXPIRE: _from(Status.ASSIGNED, to=Status.QUEUED),
    Verb.RELEASE: _from(
        Status.ASSIGNED, Status.ACTIVE, to=Status.QUEUED, ends_contact=EndReason.RELEASED
    ),
    Verb.REQUEUE: _from(Status.ACTIVE, to=Status.QUEUED, ends_contact=EndReason.UNANSWERED),
    Verb.DROP_SKILLS: _from(Status.QUEUED, to=Status.QUEUED),
    Verb.SNOOZE: _from(Status.ACTIVE, to=Status.SNOOZED, ends_contact=EndReason.SNOOZED),
    Verb.WAKE_TO_AGENT: _from(Status.SNOOZED, to=Status.ASSIGNED),
    Verb.WAKE_TO_GROUP: _from(Status.SNOOZED, to=Status.QUEUED),
    Verb.SET_PENDING: _from(Status.ACTIVE, to=Status.PENDING, ends_contact=EndReason.PENDING),
    Verb.SET_ON_HOLD: _from(Status.ACTIVE, to=Status.ON_HOLD, ends_contact=EndReason.ON_HOLD),
    Verb.SOLVE: _from(Status.ACTIVE, to=Status.SOLVED, ends_contact=EndReason.SOLVED),
    Verb.REOPEN: _from(Status.PENDING, Status.ON_HOLD, Status.SOLVED, to=Status.ASSIGNED),
    Verb.REOPEN_TO_GROUP: _from(Status.PENDING, Status.ON_HOLD, Status.SOLVED, to=Status.QUEUED),
    # Its agent may no longer have it (C51): it stays paused and belongs to the group.
    Verb.UNASSIGN: _from(*PAUSED, to=None),
    Verb.TAKE_BACK: _from(
        Status.QUEUED,
        Status.ASSIGNED,
        Status.SNOOZED,
        Status.PENDING,
        Status.ON_HOLD,
        Status.SOLVED,
        to=Status.ASSIGNED,
    ),
    Verb.CLOSE: _from(
        Status.BOT,
        Status.ACTIVE,
        Status.SNOOZED,
        Status.SOLVED,
        to=Status.CLOSED,
        ends_contact=EndReason.CLOSED,
    ),
    # It was had elsewhere and is over (docs/adr/0062).
    Verb.IMPORT: _from(None, to=Status.CLOSED),
}

# How long a visitor waits for a bot's answer before agents are asked to take over.
BOT_ANSWER_SECONDS = 60

# C1: no timer closes a conversation that is queued, assigned or on a desk.
SYSTEM_MAY_CLOSE = frozenset({Status.BOT, Status.SNOOZED, Status.SOLVED})

# Actions that agents can undo for a while (C71).
TAKEN_BACK = frozenset(
    {
        Verb.TRANSFER_TO_GROUP,
        Verb.TRANSFER_TO_AGENT,
        Verb.SNOOZE,
        Verb.SET_PENDING,
        Verb.SET_ON_HOLD,
        Verb.SOLVE,
    }
)

# These verbs enter a queue as a new entry, limited by its places. With any other verb it is a
# return, which always enters (C16).
NEW_ENTRIES = frozenset({Verb.QUEUE, Verb.ESCALATE})

# A conversation that returns because of a failure keeps its former rank (C17), as does one that
# drops its skills. One that an agent left unanswered goes to the front instead (C25).
KEEPS_RANK = frozenset({Verb.EXPIRE, Verb.RELEASE, Verb.DROP_SKILLS})

# These verbs continue a wait: the conversation was waiting before them too.
WAITS_ON = frozenset({Verb.EXPIRE, Verb.DROP_SKILLS})


def target_of(verb: Verb, status: Status | None) -> Status:
    """Return the status that ``verb`` leads to from ``status``; raise ``Refused`` if it cannot."""
    transition = TRANSITIONS[verb]
    if status not in transition.sources:
        raise Refused(verb, status)
    return transition.target_from(status)
