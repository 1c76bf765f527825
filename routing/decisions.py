"""The engine's decisions, as pure functions of plain data: no database, no clock, no request.

Production and the simulator call the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil

from accounts.entitlement import Bar, Standing, bar

CASCADE = "cascade"
EQUAL_SHARE = "equal_share"


@dataclass(frozen=True, slots=True)
class StepLoad:
    """One queue at the moment of an entry.

    ``waiting`` counts queued and assigned conversations, and ``silent`` those of them whose
    anonymous visitors were not heard from again after the first message. ``free_slots`` counts the
    slots of agents who could take the entry and for whom nothing waits. ``gives_places`` is false
    if the group is closed and keeps no places then, ``has_share`` if the entry's address has had
    its share of them.
    """

    step_id: int
    places: int
    waiting: int
    free_slots: int
    entered_at: datetime | None = None
    gives_places: bool = True
    silent: int = 0
    has_share: bool = True

    @property
    def limit(self) -> int:
        """How many may wait now. The silent take no place, up to as many as there are places, so
        that a flood has a limit, too."""
        return self.places + min(self.silent, self.places)

    @property
    def has_place(self) -> bool:
        return self.has_share and self.would_have_place

    @property
    def would_have_place(self) -> bool:
        """Whether somebody of another address would have a place."""
        return self.gives_places and self.waiting < self.limit

    @property
    def has_agent(self) -> bool:
        return self.free_slots > 0

    @property
    def has_room(self) -> bool:
        """With 0 places an agent must be free; from 1 on a free place or an agent will do (C18)."""
        return self.has_place or self.has_agent

    @property
    def fill(self) -> Fraction:
        """How full the queue is; a queue without places is full."""
        return Fraction(self.waiting, self.limit) if self.places else Fraction(1)


def share_of(places: int, percent: int) -> int:
    """Return how many of ``places`` anonymous visitors of one address can have: at least one."""
    return max(1, ceil(places * percent / 100))


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a new conversation goes: into a place of the queue, or straight onto a desk. ``limit``
    is how many may wait in the queue at this moment, and ``fills`` says that none may after it."""

    step_id: int
    takes_place: bool
    limit: int = field(default=0, compare=False)
    fills: bool = field(default=False, compare=False)


def choose_step(mode: str, steps: Sequence[StepLoad]) -> Entry | None:
    """Return the queue that a new conversation enters; ``None`` means no room: do not engage.

    ``steps`` are in the rule's order. Cascade takes the first with room (R44, R45). Equal share
    takes the one with the lowest fill ratio, ties going to the one entered longest ago (C19).
    """
    open_steps = [step for step in steps if step.has_room]
    if not open_steps:
        return None
    chosen = min(open_steps, key=_share_order) if mode == EQUAL_SHARE else open_steps[0]
    return Entry(
        chosen.step_id,
        takes_place=chosen.has_place,
        limit=chosen.limit,
        fills=chosen.has_place and chosen.waiting + 1 >= chosen.limit,
    )


def _share_order(step: StepLoad) -> tuple[Fraction, bool, float]:
    entered = step.entered_at.timestamp() if step.entered_at else 0.0
    # Of equally full queues, one that was never entered comes first.
    return (step.fill, step.entered_at is not None, entered)


class BlockReason(StrEnum):
    """The reasons why an agent cannot take a waiting conversation."""

    OF_SOMEBODY_ELSE = "of_somebody_else"
    DEACTIVATED = "account_deactivated"
    READS_ONLY = "role_only_reads"
    OTHER_WEBSITE = "other_website"
    NOT_A_MEMBER = "not_a_member"
    GROUP_CLOSED = "group_closed"
    LACKS_SKILL = "lacks_skill"
    OFFLINE = "offline"
    NO_SLOTS = "no_slots"
    UNAVAILABLE = "unavailable"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason that stops an agent.

    ``until`` is set if time removes it (a closed group), ``skill_ids`` are the missing skills,
    ``held`` and ``slots`` say how full the agent is.
    """

    kind: BlockReason
    until: datetime | None = None
    skill_ids: frozenset[int] = frozenset()
    held: int = 0
    slots: int = 0


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent on one channel.

    ``is_reachable``: a desk of theirs receives pushes. ``idle_since``: when their last contact on
    this channel ended, or when they became available.
    """

    agent_id: int
    slots: int
    active: int
    idle_since: datetime | None = None
    is_available: bool = True
    is_reachable: bool = True
    group_ids: frozenset[int] = frozenset()
    skill_ids: frozenset[int] = frozenset()
    standing: Standing = field(default=Standing(), compare=False)

    @property
    def free(self) -> int:
        return max(self.slots - self.active, 0)


@dataclass(frozen=True, slots=True)
class Need:
    """What a waiting conversation requires.

    ``skill_ids`` are those still binding. With ``agent_id`` it is assigned to that agent, chosen by
    a person, and membership, skills and opening hours do not count (R88), but the agent must have a
    right to its website, ``website_id`` (C50). Without either id, membership is not checked.
    """

    group_id: int | None
    skill_ids: frozenset[int] = frozenset()
    agent_id: int | None = None
    is_open: bool = True
    opens_at: datetime | None = None
    website_id: int | None = None


def obstacles(agent: AgentView, need: Need) -> tuple[Obstacle, ...]:
    """Return all that stops ``agent`` from taking ``need``; empty if they could take it now.

    This is the one definition: the dispatch, the explanations and the simulator call it, and tests
    hold the equivalent SQL statements to it.
    """
    in_the_way = []
    if need.agent_id is not None:
        if need.agent_id != agent.agent_id:
            in_the_way.append(Obstacle(BlockReason.OF_SOMEBODY_ELSE))
    else:
        if need.group_id is not None and need.group_id not in agent.group_ids:
            in_the_way.append(Obstacle(BlockReason.NOT_A_MEMBER))
        if not need.is_open:
            in_the_way.append(Obstacle(BlockReason.GROUP_CLOSED, until=need.opens_at))
        if missing := need.skill_ids - agent.skill_ids:
            in_the_way.append(Obstacle(BlockReason.LACKS_SKILL, skill_ids=missing))
    if barred := _bar(agent, need):
        return (*in_the_way, Obstacle(barred))  # Removing any other obstacle would not help.
    if not agent.is_reachable:
        in_the_way.append(Obstacle(BlockReason.OFFLINE))
    if not agent.slots:
        in_the_way.append(Obstacle(BlockReason.NO_SLOTS))
    elif not agent.is_available:
        in_the_way.append(Obstacle(BlockReason.UNAVAILABLE))
    if agent.slots and not agent.free:
        in_the_way.append(Obstacle(BlockReason.FULL, held=agent.active, slots=agent.slots))
    return tuple(in_the_way)


def _bar(agent: AgentView, need: Need) -> BlockReason | None:
    """Return what bars the agent from it altogether. A member of its group is of its website."""
    if not agent.standing.is_active:
        return BlockReason.DEACTIVATED
    if agent.standing.reads_only:
        return BlockReason.READS_ONLY
    if need.agent_id != agent.agent_id or need.website_id is None:
        return None
    barred_by = bar(agent.standing, need.website_id)
    return BlockReason.OTHER_WEBSITE if barred_by is Bar.OTHER_WEBSITE else None


ANYTHING = Need(group_id=None)


def choose_agent(agents: Sequence[AgentView], need: Need = ANYTHING) -> int | None:
    """Return the able agent with the most free slots, ties to the longest idle (C19).

    ``None`` if nobody can take it.
    """
    able = [agent for agent in agents if not obstacles(agent, need)]
    if not able:
        return None
    return min(able, key=_agent_order).agent_id


def _agent_order(agent: AgentView) -> tuple[int, bool, float, int]:
    idle = agent.idle_since.timestamp() if agent.idle_since else 0.0
    # The id comes last, so that the same data always give the same agent, here and in the
    # simulator.
    return (-agent.free, agent.idle_since is not None, idle, agent.agent_id)
