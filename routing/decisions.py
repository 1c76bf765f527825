"""The engine's decisions, as pure functions of plain data: no database, no clock, no request.

Production and simulation call the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

CASCADE = "cascade"
EQUAL_SHARE = "equal_share"


@dataclass(frozen=True, slots=True)
class StepLoad:
    """One queue as an entry finds it. ``waiting`` counts queued and assigned; ``free_slots`` the
    slots of reachable, available agents of the group that nobody waits for."""

    step_id: int
    places: int
    waiting: int
    free_slots: int
    entered_at: datetime | None = None

    @property
    def has_place(self) -> bool:
        return self.waiting < self.places

    @property
    def has_agent(self) -> bool:
        return self.free_slots > 0

    @property
    def has_room(self) -> bool:
        """A threshold of 0 needs an agent; from 1 on a free place, or such an agent (C18)."""
        return self.has_place or self.has_agent

    @property
    def fill(self) -> Fraction:
        """How full the queue is; without places it is full."""
        return Fraction(self.waiting, self.places) if self.places else Fraction(1)


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a new conversation goes: into a place of the queue, or onto a desk directly."""

    step_id: int
    takes_place: bool


def choose_step(mode: str, steps: Sequence[StepLoad]) -> Entry | None:
    """The queue that a new conversation enters; ``None`` is "no room: do not engage".

    ``steps`` stand in the rule's order. Cascade takes the first with room (R44, R45); equal share
    the one with the lowest fill ratio, ties in rotation: the one entered longest ago (C19).
    """
    open_steps = [step for step in steps if step.has_room]
    if not open_steps:
        return None
    chosen = min(open_steps, key=_share_order) if mode == EQUAL_SHARE else open_steps[0]
    return Entry(chosen.step_id, takes_place=chosen.has_place)


def _share_order(step: StepLoad) -> tuple[Fraction, bool, float]:
    entered = step.entered_at.timestamp() if step.entered_at else 0.0
    return (step.fill, step.entered_at is not None, entered)


@dataclass(frozen=True, slots=True)
class AgentLoad:
    """One reachable, available agent on one channel. ``idle_since`` is when the last contact on
    this channel ended, or when the agent became available."""

    agent_id: int
    slots: int
    active: int
    idle_since: datetime | None = None

    @property
    def free(self) -> int:
        return max(self.slots - self.active, 0)


def choose_agent(agents: Sequence[AgentLoad]) -> int | None:
    """The agent with the most free slots, ties to the longest idle (C19); ``None``: all full."""
    free = [agent for agent in agents if agent.free]
    if not free:
        return None
    return min(free, key=_agent_order).agent_id


def _agent_order(agent: AgentLoad) -> tuple[int, bool, float, int]:
    idle = agent.idle_since.timestamp() if agent.idle_since else 0.0
    return (-agent.free, agent.idle_since is not None, idle, agent.agent_id)
