"""The formula of the queue's size: the examples of the sources, and properties that always hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.simulator.sizing import off_peak_hours, places_for, shared, to_start_with


def test_the_documented_example_is_reproduced() -> None:
    """R214, R215: 5 agents, 10 conversations an hour, 3 off-peak hours."""
    assert places_for(5, 10, 3) == 150
    assert to_start_with(150) == 75


@pytest.mark.parametrize(
    ("agents", "per_hour", "hours", "places"),
    [
        (0, 10, 3, 0),
        (1, 0.4, 1, 0),
        (1, 0.5, 1, 1),
        (3, 4.1, 2.5, 31),  # 30.75
        (2, 1.15, 5, 12),  # 11.5, which binary fractions would make 11.499…
    ],
)
def test_places_are_whole(agents: float, per_hour: float, hours: float, places: int) -> None:
    assert places_for(agents, per_hour, hours) == places


@pytest.mark.parametrize(("places", "start"), [(0, 0), (1, 1), (7, 4), (150, 75)])
def test_half_is_rounded_up(places: int, start: int) -> None:
    assert to_start_with(places) == start


@pytest.mark.parametrize(
    ("places", "weights", "parts"),
    [
        (150, [], []),
        (150, [2, 1], [100, 50]),
        (150, [0, 0], [75, 75]),
        (10, [1, 1, 1], [4, 3, 3]),
        (3, [100, 0, 0], [1, 1, 1]),
        (2, [5, 1, 1], [2, 0, 0]),
    ],
)
def test_places_are_shared_by_weight(places: int, weights: list[float], parts: list[int]) -> None:
    assert shared(places, weights) == parts


@settings(deadline=None)
@given(st.integers(0, 5000), st.lists(st.integers(0, 10**6), max_size=12))
def test_shares_add_up_and_each_queue_gets_a_place(places: int, weights: list[int]) -> None:
    parts = shared(places, weights)
    assert len(parts) == len(weights)
    if weights:
        assert sum(parts) == places
        assert min(parts) >= (1 if places >= len(weights) else 0)


def test_off_peak_hours_work_off_more_than_arrives() -> None:
    arrivals = [0, 2, 30, 12, 5]
    capacity = [0, 10, 10, 12, 10]
    assert off_peak_hours(arrivals, capacity) == 2
