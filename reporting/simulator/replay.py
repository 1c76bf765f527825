"""The replay: what would have happened with other places, event by event.

Pure and deterministic: the same history gives the same answer. The engine's own functions
(``routing.decisions``) decide who is engaged and which agent gets what; people's behaviour (when
they came, how long they occupied an agent, when they returned) is taken from history.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import count

from reporting.simulator.model import Arrival, QueueSize, Rule, SimulationResult, Stay, Team
from routing.decisions import AgentView, Need, StepLoad, choose_agent, choose_step, obstacles


def replay(
    arrivals: Iterable[Arrival],
    rules: Mapping[int, Rule],
    team: Team,
    *,
    until: datetime,
    assignment: timedelta = timedelta(hours=24),
) -> SimulationResult:
    """Replay ``arrivals`` against ``team`` with the places of ``rules``, up to ``until``."""
    floor = _Floor(rules, team, until=until, assignment=assignment)
    for arrival in arrivals:
        floor.expect(arrival.at, _Kind.ARRIVE, _Talk(arrival, arrival.skills))
    return floor.run()


class _Kind(IntEnum):
    """The order of events at the same moment: first what is certain, then what makes room, then
    what needs it."""

    OCCUPY = 0
    CLOSE = 1
    FREE = 2
    COME = 3
    OPEN = 4
    EXPIRE = 5
    RELAX = 6
    RETURN = 7
    ARRIVE = 8
    GO = 9


@dataclass(slots=True, eq=False)
class _Talk:
    """A conversation on its way through the replay. ``wait`` numbers its waits: an entry in a line
    with an older number is stale."""

    arrival: Arrival
    skills: frozenset[int]
    step: QueueSize | None = None
    stay: int = 0
    group_id: int = 0
    agent_id: int | None = None
    waits_since: datetime | None = None
    is_assigned: bool = False
    wait: int = 0

    @property
    def now(self) -> Stay:
        return self.arrival.life[self.stay]


@dataclass(slots=True, eq=False)
class _Desk:
    """An agent in the replay; ``view`` is the input of the engine's decisions."""

    agent_id: int
    slots: int
    groups: frozenset[int]
    skills: frozenset[int]
    held: int = 0
    is_there: bool = False
    idle_since: datetime | None = None
    view: AgentView = field(init=False)
    is_open: bool = field(init=False)

    def __post_init__(self) -> None:
        self.look()

    def look(self) -> None:
        self.view = AgentView(
            agent_id=self.agent_id,
            slots=self.slots,
            active=self.held,
            idle_since=self.idle_since,
            is_available=self.is_there,
            is_reachable=self.is_there,
            group_ids=self.groups,
            skill_ids=self.skills,
        )
        self.is_open = self.is_there and self.held < self.slots


# Conversations that wait for the same agents: (rank, order of arrival, number of the wait, talk).
_Line = list[tuple[datetime, int, int, _Talk]]


class _Floor:
    """The state of the replay: desks, waiting conversations and future events."""

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
            agent_id: _Desk(
                agent_id,
                slots,
                frozenset(group for group, agents in team.members.items() if agent_id in agents),
                team.skills.get(agent_id, frozenset()),
            )
            for agent_id, slots in team.slots.items()
        }
        self.closed: set[int] = set()
        self.needs: dict[tuple[int, frozenset[int]], Need] = {}
        self.events: list[tuple[datetime, int, int, _Talk | int]] = []
        self.order = count()
        self.queued: dict[Need, _Line] = defaultdict(list)
        self.assigned: dict[int, _Line] = defaultdict(list)
        self.needs_of: dict[int, list[Need]] = defaultdict(list)
        self.takers_of: dict[Need, list[_Desk]] = {}
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
        for closing in team.closings:
            self.expect(closing.starts_at, _Kind.CLOSE, closing.group_id)
            self.expect(closing.ends_at, _Kind.OPEN, closing.group_id)

    def expect(self, at: datetime, kind: _Kind, what: _Talk | int) -> None:
        heapq.heappush(self.events, (at, kind, next(self.order), what))

    def run(self) -> SimulationResult:
        while self.events and self.events[0][0] <= self.until:
            at, kind, _, what = heapq.heappop(self.events)
            if isinstance(what, _Talk):
                self._move(_Kind(kind), what, at)
            elif kind in {_Kind.CLOSE, _Kind.OPEN}:
                self._turn(_Kind(kind), what, at)
            else:
                self._change(_Kind(kind), self.desks[what], at)
        return SimulationResult(
            self.arrived, self.refused, tuple(sorted(self.waits)), self.unserved
        )

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
            case _Kind.RELAX if talk.waits_since is not None and not talk.is_assigned:
                talk.skills = frozenset()
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
        desk.look()
        self._fill(desk, at)

    def _turn(self, kind: _Kind, group_id: int, at: datetime) -> None:
        if kind == _Kind.CLOSE:
            self.closed.add(group_id)
            return
        self.closed.discard(group_id)
        for need in [need for need in self.queued if need.group_id == group_id]:
            self._offer(need, at)

    # --- The engine's steps, on plain data

    def _arrive(self, talk: _Talk, at: datetime) -> None:
        """Enter as ``engagement.start`` does: decide, then take a place, a desk, or nothing."""
        self.arrived += 1
        rule = self.rules[talk.arrival.rule_id]
        entry = choose_step(rule.mode, [self._load_of(step, talk) for step in rule.steps])
        if entry is None:
            self.refused += 1
            return
        talk.step = next(step for step in rule.steps if step.step_id == entry.step_id)
        self.entered_at[talk.step.step_id] = at
        self.unserved += 1
        talk.group_id = talk.step.group_id
        self._into_group(talk, at)
        if talk.skills and talk.arrival.patience is not None:
            self.expect(at + talk.arrival.patience, _Kind.RELAX, talk)

    def _load_of(self, step: QueueSize, talk: _Talk) -> StepLoad:
        load = StepLoad(
            step_id=step.step_id,
            places=step.places,
            waiting=self.waiting[step.step_id],
            free_slots=0,
            entered_at=self.entered_at.get(step.step_id),
            gives_places=step.keeps_places or step.group_id not in self.closed,
        )
        if load.has_place:
            return load
        # Everything is drained between two events, so nobody waits while a slot is free for them.
        able = self._able(self._need(step.group_id, talk.skills))
        return replace(load, free_slots=sum(view.free for view in able))

    def _need(self, group_id: int, skills: frozenset[int]) -> Need:
        key = group_id, skills
        if key not in self.needs:
            self.needs[key] = Need(group_id=group_id, skill_ids=skills)
        return self.needs[key]

    def _leave(self, talk: _Talk, at: datetime) -> None:
        """End a contact; a conversation that comes back later waits again, as a return."""
        assert talk.agent_id is not None
        desk = self.desks[talk.agent_id]
        desk.held, desk.idle_since = desk.held - 1, at
        desk.look()
        talk.stay += 1
        if talk.stay < len(talk.arrival.life):
            self.expect(at + talk.now.away, _Kind.RETURN, talk)
        self._fill(desk, at)

    def _wait(self, talk: _Talk, at: datetime) -> None:
        if not talk.now.to_agent or talk.agent_id is None:
            talk.group_id = talk.now.group_id
            self._into_group(talk, at)
            return
        talk.is_assigned, talk.group_id = True, talk.now.group_id
        self._line_up(talk, self.assigned[talk.agent_id], at)
        self.expect(at + self.assignment, _Kind.EXPIRE, talk)
        self._fill(self.desks[talk.agent_id], at)

    def _into_group(self, talk: _Talk, at: datetime) -> None:
        need = self._need(talk.group_id, talk.skills)
        self._line_up(talk, self.queued[need], at)
        self._offer(need, at)

    def _line_up(self, talk: _Talk, line: _Line, at: datetime) -> None:
        """Add a conversation to a line. If it waits already, it keeps its rank (C17)."""
        if talk.waits_since is None:
            talk.waits_since = at
            if talk.step is not None:
                self.waiting[talk.step.step_id] += 1
        talk.wait += 1
        heapq.heappush(line, (talk.waits_since, next(self.order), talk.wait, talk))

    def _offer(self, need: Need, at: datetime) -> None:
        """Offer what waits, as ``dispatch.drain_group`` does."""
        self._takers(need)
        while _first(self.queued[need]):
            chosen = choose_agent(self._able(need), need)
            if chosen is None:
                return
            self._serve(self.desks[chosen], at)

    def _able(self, need: Need) -> list[AgentView]:
        """Return the agents who may take this now. The engine's decision checks each of them
        again."""
        if need.group_id in self.closed:
            return []
        return [desk.view for desk in self._takers(need) if desk.is_open]

    def _takers(self, need: Need) -> list[_Desk]:
        """Return the agents whom nothing would stop if they were there and free."""
        takers = self.takers_of.get(need)
        if takers is None:
            takers = []
            for desk in self.desks.values():
                at_best = replace(desk.view, active=0, is_available=True, is_reachable=True)
                if not obstacles(at_best, need):
                    takers.append(desk)
                    self.needs_of[desk.agent_id].append(need)
            self.takers_of[need] = takers
        return takers

    def _fill(self, desk: _Desk, at: datetime) -> None:
        while desk.is_open and self._serve(desk, at):
            pass

    def _serve(self, desk: _Desk, at: datetime) -> bool:
        """Serve an agent as ``dispatch.serve`` does: first what is assigned to them, then the
        oldest in their queues."""
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
        talk.wait += 1
        desk.held += 1
        desk.look()
        self.expect(at + talk.now.on_desk, _Kind.FREE, talk)
        return True

    def _next_for(self, desk: _Desk) -> _Talk | None:
        mine = self.assigned.get(desk.agent_id, [])
        if _first(mine):
            return heapq.heappop(mine)[-1]
        lines = (
            self.queued[need]
            for need in self.needs_of[desk.agent_id]
            if need.group_id not in self.closed
        )
        oldest = min((line for line in lines if _first(line)), key=_rank, default=None)
        return None if oldest is None else heapq.heappop(oldest)[-1]


def _first(line: _Line) -> _Talk | None:
    """Return the first in a line, after dropping stale entries."""
    while line and line[0][-1].wait != line[0][2]:
        heapq.heappop(line)
    return line[0][-1] if line else None


def _rank(line: _Line) -> tuple[datetime, int]:
    return line[0][:2]
