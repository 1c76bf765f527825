"""What a replay is given and what it says, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Stay:
    """One contact of a conversation: ``away`` passed since the last one before it waited again;
    ``to_agent`` says that it then waited for one agent, not for the group."""

    group_id: int
    on_desk: timedelta
    away: timedelta = NOTHING
    to_agent: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who wanted to talk, engaged in reality or not, and how his conversation went.
    ``patience`` is how long he waits for agents who have the skills; ``None``: for ever."""

    at: datetime
    rule_id: int
    life: tuple[Stay, ...]
    skills: frozenset[int] = frozenset()
    patience: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """An interval in which an agent could be given conversations."""

    agent_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Occupation:
    """A slot that was taken by something that is not played again."""

    agent_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Closing:
    """An interval in which a group is closed."""

    group_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A queue of a rule. ``keeps_places``: also while its group is closed."""

    step_id: int
    group_id: int
    places: int
    keeps_places: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    mode: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Team:
    """Slots and skills of the agents, the members of the groups, and when who was there."""

    slots: Mapping[int, int]
    members: Mapping[int, frozenset[int]]
    shifts: Sequence[Shift]
    occupations: Sequence[Occupation] = ()
    closings: Sequence[Closing] = ()
    skills: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a replay ended. ``waits`` are those who reached a desk, shortest first; ``unserved``
    still waited when the period ended, and count as the longest waits of all."""

    arrived: int
    refused: int
    waits: tuple[timedelta, ...]
    unserved: int

    def wait(self, share: float) -> timedelta | None:
        """The wait that ``share`` of the engaged did not exceed; ``None``: longer than the period
        tells, or nobody was engaged."""
        engaged = len(self.waits) + self.unserved
        rank = max(-(-int(share * engaged * 1000) // 1000), 1) - 1
        return self.waits[rank] if rank < len(self.waits) else None

    @property
    def median(self) -> timedelta | None:
        return self.wait(0.5)

    @property
    def ninth_decile(self) -> timedelta | None:
        return self.wait(0.9)

    @property
    def summary(self) -> Summary:
        return Summary(self.arrived, self.refused, self.median, self.ninth_decile)


@dataclass(frozen=True, slots=True)
class Summary:
    """What is told of an outcome."""

    arrived: int
    refused: int
    median: timedelta | None
    ninth_decile: timedelta | None
