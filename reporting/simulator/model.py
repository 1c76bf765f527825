"""The input and the outcome of a replay, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Stay:
    """One contact of a conversation. ``away`` is the time since the last contact before it waited
    again; ``to_agent`` means that it then waited for one agent, not for the group."""

    group_id: int
    on_desk: timedelta
    away: timedelta = NOTHING
    to_agent: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """A visitor who wanted to talk, engaged in reality or not, and how their conversation went.
    ``patience`` is how long they wait for agents with the skills; ``None`` means forever."""

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
    """A slot taken by a conversation that is not part of the replay."""

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
class QueueSize:
    """A queue of a rule. ``keeps_places``: it has places also while its group is closed."""

    step_id: int
    group_id: int
    places: int
    keeps_places: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    mode: str
    steps: tuple[QueueSize, ...]


@dataclass(frozen=True, slots=True)
class Team:
    """The agents' slots and skills, the groups' members, and who was there when."""

    slots: Mapping[int, int]
    members: Mapping[int, frozenset[int]]
    shifts: Sequence[Shift]
    occupations: Sequence[Occupation] = ()
    closings: Sequence[Closing] = ()
    skills: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """The outcome of a replay. ``waits`` are those of visitors who reached a desk, shortest
    first; ``unserved`` visitors were still waiting when the period ended, and count as the
    longest waits."""

    arrived: int
    refused: int
    waits: tuple[timedelta, ...]
    unserved: int

    def wait(self, share: float) -> timedelta | None:
        """Return the wait that ``share`` of the engaged did not exceed; ``None`` if it lasted
        beyond the period or nobody was engaged."""
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
    """The numbers of an outcome that are shown."""

    arrived: int
    refused: int
    median: timedelta | None
    ninth_decile: timedelta | None
