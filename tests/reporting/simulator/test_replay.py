"""The replay of a website's history: a day computed by hand, and properties that always hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.simulator.model import (
    Arrival,
    Closing,
    Occupation,
    QueueSize,
    Rule,
    Shift,
    SimulationResult,
    Stay,
    Team,
)
from reporting.simulator.replay import replay
from routing.decisions import CASCADE, EQUAL_SHARE
from tests.clock import NOW

MINUTE = timedelta(minutes=1)
ALICE, BRUNO, TEAM, OTHERS, RULE = 1, 2, 10, 20, 100


def at(minute: float) -> datetime:
    return NOW + minute * MINUTE


def arrival(minute: float, lasts: float = 10, *, group: int = TEAM) -> Arrival:
    return Arrival(at(minute), RULE, (Stay(group, lasts * MINUTE),))


def rules(
    *places: int, mode: str = CASCADE, groups: tuple[int, ...] = (TEAM, OTHERS)
) -> dict[int, Rule]:
    steps = tuple(
        QueueSize(index, group, number)
        for index, (group, number) in enumerate(zip(groups, places, strict=False))
    )
    return {RULE: Rule(mode, steps)}


def team(
    *shifts: Shift,
    slots: Mapping[int, int] | None = None,
    members: Mapping[int, frozenset[int]] | None = None,
    occupations: tuple[Occupation, ...] = (),
    skills: Mapping[int, frozenset[int]] | None = None,
) -> Team:
    return Team(
        slots=slots or {ALICE: 1},
        members=members or {TEAM: frozenset({ALICE})},
        shifts=shifts or (Shift(ALICE, at(0), at(600)),),
        occupations=occupations,
        skills=skills or {},
    )


def replayed(
    arrivals: list[Arrival], played_rules: dict[int, Rule], with_team: Team | None = None
) -> SimulationResult:
    return replay(arrivals, played_rules, with_team or team(), until=at(1000))


def test_a_replayed_day_equals_one_computed_by_hand() -> None:
    """One slot, ten minutes each, two places. At 0 the first is served; 1 and 2 wait until 10 and
    20; 3 finds no place; at 12 a place is free (1 left at 10), and its turn comes at 30."""
    outcome = replayed([arrival(m) for m in (0, 1, 2, 3, 12)], rules(2))
    assert (outcome.arrived, outcome.refused, outcome.unserved) == (5, 1, 0)
    assert outcome.waits == (0 * MINUTE, 9 * MINUTE, 18 * MINUTE, 18 * MINUTE)
    assert outcome.median == 9 * MINUTE
    assert outcome.ninth_decile == 18 * MINUTE


def test_without_places_only_a_free_agent_engages() -> None:
    outcome = replayed([arrival(m) for m in (0, 5, 10)], rules(0))
    assert (outcome.refused, outcome.waits) == (1, (0 * MINUTE, 0 * MINUTE))


def test_visitors_wait_for_the_beginning_of_the_shift() -> None:
    outcome = replayed([arrival(0), arrival(1)], rules(2), team(Shift(ALICE, at(60), at(90))))
    assert outcome.waits == (60 * MINUTE, 69 * MINUTE)


def test_an_agent_after_the_shift_only_finishes_active_conversations() -> None:
    outcome = replayed([arrival(0), arrival(1)], rules(2), team(Shift(ALICE, at(0), at(5))))
    assert (outcome.waits, outcome.unserved) == ((0 * MINUTE,), 1)
    assert outcome.ninth_decile is None, "longer than the period tells"


def test_a_returning_conversation_always_enters_and_takes_a_place() -> None:
    """The first is set aside at 10 and returns at 15, behind the second, into a queue that the
    third fills; therefore the fourth is refused at 16."""
    first = Arrival(
        at(0), RULE, (Stay(TEAM, 10 * MINUTE), Stay(TEAM, 10 * MINUTE, away=5 * MINUTE))
    )
    outcome = replayed([first, arrival(2), arrival(12), arrival(16)], rules(1))
    assert outcome.refused == 1
    assert outcome.waits == (0 * MINUTE, 8 * MINUTE, 8 * MINUTE)


def test_a_kept_conversation_waits_for_its_agent_before_the_queue() -> None:
    """Bruno is free all the time; the first comes back for Alice, who is busy until 30."""
    assigned = Arrival(
        at(0),
        RULE,
        (Stay(TEAM, 5 * MINUTE), Stay(TEAM, 5 * MINUTE, away=10 * MINUTE, to_agent=True)),
    )
    both = team(
        Shift(ALICE, at(0), at(600)),
        slots={ALICE: 1, BRUNO: 1},
        members={TEAM: frozenset({ALICE}), OTHERS: frozenset({BRUNO})},
    )
    outcome = replayed([assigned, arrival(6, 24), arrival(20)], rules(5), both)
    assert outcome.waits == (0 * MINUTE, 0 * MINUTE, 15 * MINUTE), "after the kept one, 30 to 35"


def test_an_assignment_expires_into_the_group() -> None:
    assigned = Arrival(
        at(0),
        RULE,
        (Stay(TEAM, 5 * MINUTE), Stay(TEAM, 60 * MINUTE, away=5 * MINUTE, to_agent=True)),
    )
    both = team(
        Shift(ALICE, at(0), at(6)),
        Shift(BRUNO, at(20), at(600)),
        slots={ALICE: 1, BRUNO: 1},
        members={TEAM: frozenset({ALICE, BRUNO})},
    )
    later = arrival(40)
    outcome = replay([assigned, later], rules(5), both, until=at(1000), assignment=15 * MINUTE)
    assert outcome.waits == (0 * MINUTE, 45 * MINUTE), "from 25 on Bruno has what expired"


def test_occupied_slots_are_unavailable() -> None:
    busy = (Occupation(ALICE, at(0), at(30)),)
    outcome = replayed([arrival(0)], rules(1), team(occupations=busy))
    assert outcome.waits == (30 * MINUTE,)


def test_skills_are_required() -> None:
    both = team(
        Shift(ALICE, at(0), at(600)),
        Shift(BRUNO, at(50), at(600)),
        slots={ALICE: 1, BRUNO: 1},
        members={TEAM: frozenset({ALICE, BRUNO})},
        skills={BRUNO: frozenset({7})},
    )
    asks = replace(arrival(0), skills=frozenset({7}))
    assert replayed([asks, arrival(1)], rules(5), both).waits == (0 * MINUTE, 50 * MINUTE)


def test_a_skill_is_not_required_after_the_patience_ends() -> None:
    asks = replace(arrival(0), skills=frozenset({7}), patience=20 * MINUTE)
    outcome = replayed([asks, arrival(15, 30)], rules(5))
    assert outcome.waits == (0 * MINUTE, 45 * MINUTE), "at 20 Alice has somebody until 45"


def test_a_closed_group_takes_nothing_and_keeps_places_by_setting() -> None:
    night = (Closing(TEAM, at(10), at(60)),)
    closed = replace(team(), closings=night)
    outcome = replayed([arrival(0, 20), arrival(30), arrival(60)], rules(2), closed)
    assert (outcome.refused, outcome.waits) == (0, (0 * MINUTE, 10 * MINUTE, 30 * MINUTE))
    step = QueueSize(0, TEAM, 2, keeps_places=False)
    given = replayed(
        [arrival(0, 20), arrival(30), arrival(60)], {RULE: Rule(CASCADE, (step,))}, closed
    )
    assert (given.refused, given.waits) == (1, (0 * MINUTE, 0 * MINUTE))


@pytest.mark.parametrize(
    ("mode", "waits"),
    [
        # The first group fills before the second is used; the second has no agent until 60.
        (CASCADE, (10, 20, 30, 57)),
        # In rotation: the second group gets the second, the third by the lower fill ratio.
        (EQUAL_SHARE, (10, 20, 58, 60)),
    ],
)
def test_the_mode_of_the_rule_decides(mode: str, waits: tuple[int, ...]) -> None:
    both = team(
        Shift(ALICE, at(10), at(600)),
        Shift(BRUNO, at(60), at(600)),
        slots={ALICE: 1, BRUNO: 2},
        members={TEAM: frozenset({ALICE}), OTHERS: frozenset({BRUNO})},
    )
    arrivals = (
        [arrival(0), arrival(0), arrival(0), arrival(3)]
        if mode == CASCADE
        else [arrival(0), arrival(0), arrival(0), arrival(2)]
    )
    outcome = replayed(arrivals, rules(3, 3, mode=mode), both)
    assert outcome.waits == tuple(w * MINUTE for w in waits)


def test_a_period_without_arrivals_has_no_waits() -> None:
    outcome = replayed([], rules(1))
    assert (outcome.arrived, outcome.median, outcome.ninth_decile) == (0, None, None)


minutes = st.integers(0, 300)
lives = st.lists(
    st.builds(
        Stay,
        group_id=st.just(TEAM),
        on_desk=st.integers(0, 60).map(lambda m: m * MINUTE),
        away=st.integers(0, 60).map(lambda m: m * MINUTE),
        to_agent=st.booleans(),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
days = st.lists(
    st.builds(Arrival, at=minutes.map(at), rule_id=st.just(RULE), life=lives), max_size=25
)
shifts = st.lists(
    st.builds(
        lambda agent, start, length: Shift(agent, at(start), at(start + length)),
        st.sampled_from([ALICE, BRUNO]),
        minutes,
        st.integers(1, 200),
    ),
    max_size=2,
    unique_by=lambda shift: shift.agent_id,
).map(tuple)


@settings(max_examples=150, deadline=None)
@given(days, shifts, st.integers(1, 3), st.integers(0, 80))
def test_every_arrival_is_counted_and_the_replay_is_deterministic(
    arrivals: list[Arrival], on_duty: tuple[Shift, ...], slots: int, places: int
) -> None:
    people = Team(
        slots={ALICE: slots, BRUNO: 1},
        members={TEAM: frozenset({ALICE, BRUNO})},
        shifts=on_duty,
    )
    outcome = replay(arrivals, rules(places), people, until=at(600))
    assert outcome.arrived == len(arrivals)
    assert outcome.refused + len(outcome.waits) + outcome.unserved == outcome.arrived
    assert replay(arrivals, rules(places), people, until=at(600)) == outcome
    if places >= len(arrivals) * 3:
        assert outcome.refused == 0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(minutes, st.integers(0, 60)), max_size=25),
    st.integers(0, 8),
    st.integers(1, 5),
)
def test_more_places_never_refuse_more(day: list[tuple[int, int]], places: int, more: int) -> None:
    """In one queue served by one slot, where refusals affect nobody's time."""
    arrivals = [arrival(minute, 10) for minute, _ in day]
    with_few, with_many = (
        replayed(arrivals, rules(n), team(Shift(ALICE, at(30), at(600))))
        for n in (places, places + more)
    )
    assert with_many.refused <= with_few.refused


def test_a_month_of_a_large_group_is_replayed() -> None:
    """Thirty agents, 28 conversations an hour, a third of which return."""
    day = 24 * 60
    arrivals = [
        Arrival(
            NOW + timedelta(seconds=130 * n),
            RULE,
            (Stay(TEAM, timedelta(seconds=300 + n * 37 % 4500)),)
            + (
                (Stay(TEAM, 5 * MINUTE, away=3 * 60 * MINUTE, to_agent=n % 2 == 0),)
                if n % 3 == 0
                else ()
            ),
        )
        for n in range(20_000)
    ]
    agents = range(30)
    people = Team(
        slots=dict.fromkeys(agents, 3),
        members={TEAM: frozenset(agents)},
        shifts=[
            Shift(agent, at(d * day + agent * 10), at(d * day + agent * 10 + 480))
            for d in range(31)
            for agent in agents
        ],
    )
    outcome = replay(arrivals, rules(100), people, until=at(31 * day))
    assert outcome.arrived == 20_000
    assert 0 < outcome.refused < 20_000
