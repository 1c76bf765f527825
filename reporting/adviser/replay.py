"""What would have happened with other places: history played again, event by event.

Pure and deterministic: the same history gives the same answer. Who is engaged and who gets what is
decided by the engine's own functions (``routing.decisions``); what people did (when they came, how
long they kept an agent, when they came back) is taken as it was.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import count

from routing.decisions import AgentView, StepLoad, choose_agent, choose_step

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
    """Somebody who wanted to talk, engaged in reality or not, and how his conversation went."""

    at: datetime
    rule_id: int
    life: tuple[Stay, ...]
    skills: frozenset[int] = frozenset()


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
class Step:
    """A queue of a rule; ``step_id`` is what other places are given by."""

    step_id: int
    group_id: int
    places: int


@dataclass(frozen=True, slots=True)
class Rule:
    mode: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Team:
    """Slots and skills of the agents, the members of the groups, and when they were there."""

    slots: Mapping[int, int]
    members: Mapping[int, frozenset[int]]
    shifts: Sequence[Shift]
    occupations: Sequence[Occupation] = ()
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


def replay(
    arrivals: Iterable[Arrival],
    rules: Mapping[int, Rule],
    team: Team,
    *,
    until: datetime,
    assignment: timedelta = timedelta(hours=24),
) -> Outcome:
    """Play ``arrivals`` against ``team`` with the places of ``rules``, up to ``until``."""
    floor = _Floor(rules, team, until=until, assignment=assignment)
    for arrival in arrivals:
        floor.expect(arrival.at, _Kind.ARRIVE, _Talk(arrival))
    return floor.run()


class _Kind(IntEnum):
    """What happens first where things happen at one moment: what is certain, then what makes
    room, then who asks for it."""

    OCCUPY = 0
    FREE = 1
    COME = 2
    EXPIRE = 3
    RETURN = 4
    ARRIVE = 5
    GO = 6


@dataclass(slots=True, eq=False)
class _Talk:
    """A conversation on its way through the replay."""

    arrival: Arrival
    step: Step | None = None
    stay: int = 0
    agent_id: int | None = None
    waits_since: datetime | None = None
    is_assigned: bool = False

    @property
    def now(self) -> Stay:
        return self.arrival.life[self.stay]


@dataclass(slots=True, eq=False)
class _Desk:
    """An agent in the replay; ``load`` is what the engine's decisions are given."""

    agent_id: int
    slots: int
    skills: frozenset[int]
    held: int = 0
    is_there: bool = False
    idle_since: datetime | None = None
    load: AgentView = field(init=False)

    def __post_init__(self) -> None:
        self.weigh()

    def weigh(self) -> None:
        self.load = AgentView(self.agent_id, self.slots, self.held, self.idle_since)

    @property
    def is_open(self) -> bool:
        return self.is_there and self.held < self.slots


# What waits for the same kind of agent, by rank: the members of a group who have the skills.
_Need = tuple[int, frozenset[int]]
_Ranked = tuple[datetime, int, _Talk]


class _Floor:
    """The state of the replay: desks, what waits, and what will happen."""

    def __init__(
        self,
        rules: Mapping[int, Rule],
        team: Team,
        *,
        until: datetime,
        assignment: timedelta,
    ) -> None:
        self.rules, self.team, self.until, self.assignment = rules, team, until, assignment
        self.desks = {
            agent_id: _Desk(agent_id, slots, team.skills.get(agent_id, frozenset()))
            for agent_id, slots in team.slots.items()
        }
        self.events: list[tuple[datetime, int, int, _Talk | int]] = []
        self.order = count()
        self.queued: dict[_Need, list[_Ranked]] = defaultdict(list)
        self.assigned: dict[int, list[_Ranked]] = defaultdict(list)
        self.needs_of: dict[int, list[_Need]] = defaultdict(list)
        self.takers_of: dict[_Need, list[_Desk]] = {}
        self.waiting: dict[int, int] = defaultdict(int)
        self.entered_at: dict[int, datetime] = {}
        self.arrived = self.refused = 0
        self.waits: list[timedelta] = []
        self.unserved = 0
        for shift in team.shifts:
            self.expect(shift.starts_at, _Kind.COME, shift.agent_id)
            self.expect(shift.ends_at, _Kind.GO, shift.agent_id)
        for taken in team.occupations:
            self.expect(taken.starts_at, _Kind.OCCUPY, taken.agent_id)
            self.expect(taken.ends_at, _Kind.FREE, taken.agent_id)

    def expect(self, at: datetime, kind: _Kind, what: _Talk | int) -> None:
        heapq.heappush(self.events, (at, kind, next(self.order), what))

    def run(self) -> Outcome:
        while self.events and self.events[0][0] <= self.until:
            at, kind, _, what = heapq.heappop(self.events)
            if isinstance(what, _Talk):
                self._move(_Kind(kind), what, at)
            else:
                self._change(_Kind(kind), self.desks[what], at)
        return Outcome(self.arrived, self.refused, tuple(sorted(self.waits)), self.unserved)

    def _move(self, kind: _Kind, talk: _Talk, at: datetime) -> None:
        match kind:
            case _Kind.ARRIVE:
                self._arrive(talk, at)
            case _Kind.FREE:
                self._leave(talk, at)
            case _Kind.RETURN:
                self._wait(talk, at)
            case _Kind.EXPIRE if talk.is_assigned and talk.waits_since == at - self.assignment:
                talk.is_assigned, talk.agent_id = False, None
                self._into_group(talk, at)

    def _change(self, kind: _Kind, desk: _Desk, at: datetime) -> None:
        match kind:
            case _Kind.COME:
                desk.is_there, desk.idle_since = True, desk.idle_since or at
            case _Kind.GO:
                desk.is_there = False
            case _Kind.OCCUPY:
                desk.held += 1
            case _Kind.FREE:
                desk.held, desk.idle_since = desk.held - 1, at
        desk.weigh()
        self._fill(desk, at)

    # --- The engine's steps, on plain data

    def _arrive(self, talk: _Talk, at: datetime) -> None:
        """As ``engagement.start``: decide, then take a place, a desk, or nothing."""
        self.arrived += 1
        rule = self.rules[talk.arrival.rule_id]
        entry = choose_step(rule.mode, [self._load_of(step, talk) for step in rule.steps])
        if entry is None:
            self.refused += 1
            return
        talk.step = next(step for step in rule.steps if step.step_id == entry.step_id)
        self.entered_at[talk.step.step_id] = at
        self.unserved += 1
        self._into_group(talk, at, group_id=talk.step.group_id)

    def _load_of(self, step: Step, talk: _Talk) -> StepLoad:
        waiting = self.waiting[step.step_id]
        has_place = waiting < step.places
        # All is drained between two events, so that nobody waits for a slot that is free.
        takers = [] if has_place else self._takers((step.group_id, talk.arrival.skills))
        return StepLoad(
            step_id=step.step_id,
            places=step.places,
            waiting=waiting,
            free_slots=sum(desk.load.free for desk in takers if desk.is_open),
            entered_at=self.entered_at.get(step.step_id),
        )

    def _leave(self, talk: _Talk, at: datetime) -> None:
        """A contact ends; what comes back later waits again, as a return."""
        assert talk.agent_id is not None
        desk = self.desks[talk.agent_id]
        desk.held, desk.idle_since = desk.held - 1, at
        desk.weigh()
        talk.stay += 1
        if talk.stay < len(talk.arrival.life):
            self.expect(at + talk.now.away, _Kind.RETURN, talk)
        self._fill(desk, at)

    def _wait(self, talk: _Talk, at: datetime) -> None:
        if not talk.now.to_agent or talk.agent_id is None:
            self._into_group(talk, at, group_id=talk.now.group_id)
            return
        self._count(talk, at)
        talk.is_assigned = True
        heapq.heappush(self.assigned[talk.agent_id], (at, next(self.order), talk))
        self.expect(at + self.assignment, _Kind.EXPIRE, talk)
        self._fill(self.desks[talk.agent_id], at)

    def _into_group(self, talk: _Talk, at: datetime, group_id: int | None = None) -> None:
        """Wait in a group's queue and be offered; what expired keeps its rank (C17)."""
        if talk.waits_since is None:
            self._count(talk, at)
        rank = talk.waits_since or at
        need = (talk.now.group_id if group_id is None else group_id, talk.arrival.skills)
        heapq.heappush(self.queued[need], (rank, next(self.order), talk))
        takers = self._takers(need)
        while self.queued[need]:
            chosen = choose_agent([desk.load for desk in takers if desk.is_open])
            if chosen is None:
                return
            self._serve(self.desks[chosen], at)

    def _count(self, talk: _Talk, at: datetime) -> None:
        talk.waits_since = at
        if talk.step is not None:
            self.waiting[talk.step.step_id] += 1

    def _takers(self, need: _Need) -> list[_Desk]:
        """The members who have what is asked for, there or not."""
        found = self.takers_of.get(need)
        if found is None:
            group_id, skills = need
            members = self.team.members.get(group_id, frozenset())
            found = [
                desk
                for desk in self.desks.values()
                if desk.agent_id in members and skills <= desk.skills
            ]
            for desk in found:
                self.needs_of[desk.agent_id].append(need)
            self.takers_of[need] = found
        return found

    def _fill(self, desk: _Desk, at: datetime) -> None:
        while desk.is_open and self._serve(desk, at):
            pass

    def _serve(self, desk: _Desk, at: datetime) -> bool:
        """As ``dispatch.serve``: first what is assigned to him, then the oldest in his queues."""
        talk = self._next_for(desk)
        if talk is None:
            return False
        assert talk.waits_since is not None
        if talk.stay == 0:
            self.waits.append(at - talk.waits_since)
            self.unserved -= 1
        if talk.step is not None:
            self.waiting[talk.step.step_id] -= 1
        talk.agent_id, talk.waits_since, talk.is_assigned = desk.agent_id, None, False
        desk.held += 1
        desk.weigh()
        self.expect(at + talk.now.on_desk, _Kind.FREE, talk)
        return True

    def _next_for(self, desk: _Desk) -> _Talk | None:
        mine = self.assigned.get(desk.agent_id, [])
        while mine and not mine[0][2].is_assigned:
            heapq.heappop(mine)  # It has expired meanwhile.
        if mine:
            return heapq.heappop(mine)[2]
        oldest = min(
            (need for need in self.needs_of[desk.agent_id] if self.queued[need]),
            key=lambda need: self.queued[need][0][:2],
            default=None,
        )
        return None if oldest is None else heapq.heappop(self.queued[oldest])[2]
