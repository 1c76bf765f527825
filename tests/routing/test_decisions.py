"""The engine's decisions as tables, and properties for any numbers (C18, C19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.decisions import (
    CASCADE,
    EQUAL_SHARE,
    AgentView,
    Entry,
    StepLoad,
    choose_agent,
    choose_step,
)

EARLY = datetime(2035, 3, 5, 8, 0, tzinfo=UTC)
LATE = EARLY + timedelta(hours=1)


def step(
    number: int, waiting: int, places: int, free: int = 0, at: datetime | None = None
) -> StepLoad:
    return StepLoad(step_id=number, places=places, waiting=waiting, free_slots=free, entered_at=at)


@pytest.mark.parametrize(
    ("steps", "entry"),
    [
        ([], None),
        # threshold 0: only with a free agent, and then onto a desk
        ([step(1, 0, 0)], None),
        ([step(1, 0, 0, free=1)], Entry(1, takes_place=False)),
        # threshold >= 1: a free place, agent or not
        ([step(1, 0, 1)], Entry(1, takes_place=True)),
        ([step(1, 0, 1, free=2)], Entry(1, takes_place=True)),
        ([step(1, 1, 1)], None),
        ([step(1, 1, 1, free=1)], Entry(1, takes_place=False)),
        # returns may exceed the threshold; new entries wait until it is under it again
        ([step(1, 103, 100)], None),
        # the first with room, in the rule's order (R44, R45)
        ([step(1, 99, 100), step(2, 0, 40)], Entry(1, takes_place=True)),
        ([step(1, 100, 100), step(2, 0, 40)], Entry(2, takes_place=True)),
        ([step(1, 100, 100), step(2, 40, 40)], None),
        # mixed (C18)
        ([step(1, 0, 0), step(2, 1, 3)], Entry(2, takes_place=True)),
        ([step(1, 0, 0, free=1), step(2, 0, 3)], Entry(1, takes_place=False)),
        ([step(1, 3, 3), step(2, 0, 0, free=1)], Entry(2, takes_place=False)),
        ([step(1, 3, 3), step(2, 0, 0)], None),
    ],
)
def test_cascade_takes_the_first_group_with_room(
    steps: list[StepLoad], entry: Entry | None
) -> None:
    assert choose_step(CASCADE, steps) == entry


@pytest.mark.parametrize(
    ("steps", "entry"),
    [
        ([], None),
        # the lowest fill ratio, not the lowest number
        ([step(1, 1, 2), step(2, 3, 10)], Entry(2, takes_place=True)),
        ([step(1, 4, 10), step(2, 1, 3)], Entry(2, takes_place=True)),
        # ties in rotation: never entered first, then entered longest ago
        ([step(1, 0, 2, at=LATE), step(2, 0, 2, at=EARLY)], Entry(2, takes_place=True)),
        ([step(1, 0, 2, at=EARLY), step(2, 0, 2)], Entry(2, takes_place=True)),
        # full ones are skipped, live ones come last
        ([step(1, 2, 2), step(2, 9, 10)], Entry(2, takes_place=True)),
        ([step(1, 0, 0, free=5), step(2, 9, 10)], Entry(2, takes_place=True)),
        ([step(1, 0, 0, free=5), step(2, 10, 10)], Entry(1, takes_place=False)),
        ([step(1, 2, 2), step(2, 10, 10)], None),
    ],
)
def test_equal_share_takes_the_emptiest_queue(steps: list[StepLoad], entry: Entry | None) -> None:
    assert choose_step(EQUAL_SHARE, steps) == entry


@pytest.mark.parametrize(
    ("agents", "chosen"),
    [
        ([], None),
        ([AgentView(1, slots=2, active=2)], None),
        ([AgentView(1, slots=2, active=5)], None),  # has taken more than their slots
        ([AgentView(1, slots=0, active=0)], None),
        ([AgentView(1, 2, 1), AgentView(2, 4, 2)], 2),  # the most free slots
        ([AgentView(1, 2, 0, LATE), AgentView(2, 2, 0, EARLY)], 2),  # the longest idle
        ([AgentView(1, 2, 0, EARLY), AgentView(2, 2, 0)], 2),  # never busy counts as idle longest
        ([AgentView(2, 2, 0), AgentView(1, 2, 0)], 1),
    ],
)
def test_the_agent_with_most_free_slots_then_longest_idle_is_chosen(
    agents: list[AgentView], chosen: int | None
) -> None:
    assert choose_agent(agents) == chosen


few = st.integers(0, 5)
moments = st.none() | st.sampled_from([EARLY, LATE])
step_loads = st.lists(st.tuples(few, few, few, moments), max_size=6).map(
    lambda rows: [step(n, *row) for n, row in enumerate(rows)]
)
agent_loads = st.lists(st.tuples(few, few, moments), max_size=6).map(
    lambda rows: [AgentView(n, *row) for n, row in enumerate(rows)]
)
modes = st.sampled_from([CASCADE, EQUAL_SHARE])
quick = settings(deadline=None, derandomize=True, database=None)


@quick
@given(modes, step_loads)
def test_an_entry_requires_room(mode: str, steps: list[StepLoad]) -> None:
    entry = choose_step(mode, steps)
    assert (entry is not None) == any(s.waiting < s.places or s.free_slots for s in steps)
    if entry is not None:
        chosen = steps[entry.step_id]
        assert entry.takes_place == (chosen.waiting < chosen.places)
        assert entry.takes_place or chosen.free_slots > 0


@quick
@given(step_loads)
def test_cascade_never_passes_over_a_group_with_room(steps: list[StepLoad]) -> None:
    entry = choose_step(CASCADE, steps)
    before = steps if entry is None else steps[: entry.step_id]
    assert not any(s.has_room for s in before)


@quick
@given(step_loads)
def test_equal_share_never_takes_a_fuller_queue(steps: list[StepLoad]) -> None:
    entry = choose_step(EQUAL_SHARE, steps)
    if entry is not None:
        assert all(steps[entry.step_id].fill <= s.fill for s in steps if s.has_room)


@quick
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 20))
def test_equal_share_keeps_two_queues_equally_full(one: int, two: int, entries: int) -> None:
    waiting = [0, 0]
    for _ in range(entries):
        loads = [step(n, waiting[n], places) for n, places in enumerate((one, two))]
        entry = choose_step(EQUAL_SHARE, loads)
        if entry is None:
            assert waiting == [one, two]
            return
        waiting[entry.step_id] += 1
    fills = [count / places for count, places in zip(waiting, (one, two), strict=True)]
    assert abs(fills[0] - fills[1]) <= max(1 / one, 1 / two)


@quick
@given(agent_loads)
def test_the_chosen_agent_has_the_most_free_slots(agents: list[AgentView]) -> None:
    chosen = choose_agent(agents)
    free = {agent.agent_id: agent.slots - agent.active for agent in agents}
    if chosen is None:
        assert all(slots <= 0 for slots in free.values())
    else:
        assert free[chosen] == max(free.values()) > 0


@quick
@given(agent_loads, st.randoms())
def test_the_order_of_agents_does_not_matter(agents: list[AgentView], chance: object) -> None:
    shuffled = list(agents)
    chance.shuffle(shuffled)
    assert choose_agent(shuffled) == choose_agent(agents)
