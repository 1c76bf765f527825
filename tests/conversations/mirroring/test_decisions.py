"""Who may look, and the limits on bytes: frames give way, and a snapshot repairs the picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.mirroring.decisions import (
    BURST_BYTES,
    BYTES_PER_SECOND,
    CHUNK_BYTES,
    FRAME_BYTES,
    PLACES,
    WINDOW_BYTES,
    Case,
    Meter,
    Obstacle,
    Window,
    free_place,
    obstacle,
)

FREE = Case(
    is_on=True,
    is_closed=False,
    holds=True,
    oversees=False,
    has_consented=True,
    is_stopped=False,
    taken=(),
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"is_on": False}, Obstacle.OFF),
        ({"is_closed": True}, Obstacle.CLOSED),
        ({"holds": False}, Obstacle.NOT_YOURS),
        ({"holds": False, "oversees": True}, None),
        ({"has_consented": False}, Obstacle.NO_CONSENT),
        ({"is_stopped": True}, Obstacle.STOPPED),
        ({"taken": (1, 2)}, None),
        ({"taken": (1, 2, 3)}, Obstacle.FULL),
    ],
)
def test_what_stops_an_agent_from_looking(
    change: dict[str, object], expected: Obstacle | None
) -> None:
    assert obstacle(replace(FREE, **change)) == expected  # type: ignore[arg-type]


def test_off_is_explained_before_anything_about_the_visitor() -> None:
    nothing = Case(False, True, False, False, False, True, (1, 2, 3))
    assert obstacle(nothing) == Obstacle.OFF


@given(st.sets(st.integers(1, PLACES)))
def test_a_place_is_free_until_three_look(taken: set[int]) -> None:
    place = free_place(taken)
    assert (place is None) == (len(taken) == PLACES)
    assert place not in taken


def test_nothing_passes_before_a_snapshot() -> None:
    meter, window = Meter(0), Window()
    assert not meter.admits(10, is_start=False, now=0)
    assert not window.admits(10, is_start=False)
    assert meter.admits(10, is_start=True, now=0)
    assert window.admits(10, is_start=True)
    assert meter.admits(10, is_start=False, now=0)
    assert window.admits(10, is_start=False)


def test_beyond_the_burst_frames_are_dropped_until_a_snapshot_has_room() -> None:
    meter = Meter(0)
    assert meter.admits(BURST_BYTES, is_start=True, now=0)
    assert not meter.admits(100, is_start=False, now=0)
    assert not meter.admits(1, is_start=False, now=100)  # the picture has a hole until then
    assert meter.admits(100, is_start=True, now=100)


@given(st.lists(st.tuples(st.integers(1, CHUNK_BYTES), st.booleans(), st.floats(0, 5))))
def test_no_recorder_sends_more_than_its_rate(frames: list[tuple[int, bool, float]]) -> None:
    meter, now, passed = Meter(0), 0.0, 0
    for size, is_start, pause in frames:
        now += pause
        passed += size if meter.admits(size, is_start=is_start, now=now) else 0
        assert passed <= BURST_BYTES + now * BYTES_PER_SECOND + 1


def test_a_flood_of_tiny_frames_is_bounded_by_their_number() -> None:
    meter = Meter(0)
    passed = sum(meter.admits(2, is_start=True, now=0) for _frame in range(10_000))
    assert passed == BURST_BYTES // FRAME_BYTES


def test_a_long_rest_earns_one_burst_and_no_more() -> None:
    meter = Meter(0)
    assert meter.admits(BURST_BYTES, is_start=True, now=0)
    assert meter.admits(BURST_BYTES, is_start=True, now=1000)
    assert not meter.admits(FRAME_BYTES, is_start=True, now=1000)


def test_time_is_earned_once() -> None:
    meter = Meter(0)
    assert meter.admits(BURST_BYTES, is_start=True, now=0)
    assert meter.admits(2 * BYTES_PER_SECOND, is_start=True, now=2)
    assert not meter.admits(FRAME_BYTES, is_start=True, now=2)


def test_a_clock_that_goes_back_costs_nothing() -> None:
    meter = Meter(100)
    assert meter.admits(FRAME_BYTES, is_start=True, now=0)
    assert meter.seconds_until(BURST_BYTES - FRAME_BYTES) == 0


def test_the_wait_for_room_is_known() -> None:
    assert Meter(0).seconds_until(1) == 0
    meter = Meter(0)
    meter.admits(BURST_BYTES, is_start=True, now=0)
    assert meter.seconds_until(BYTES_PER_SECOND) == pytest.approx(1)


def test_a_slow_viewer_gets_a_snapshot_once_it_has_caught_up() -> None:
    window = Window()
    assert window.admits(WINDOW_BYTES, is_start=True)
    assert not window.admits(1, is_start=False)
    assert not window.received(1)
    assert window.received(WINDOW_BYTES)
    assert not window.received(0)  # asked once
    assert not window.admits(1, is_start=False)
    assert window.admits(1, is_start=True)


def test_a_snapshot_larger_than_the_window_passes_alone_or_beside_little() -> None:
    assert Window().admits(WINDOW_BYTES + 1, is_start=True)
    little, much = Window(), Window()
    assert little.admits(WINDOW_BYTES // 4, is_start=True)
    assert little.admits(WINDOW_BYTES, is_start=True)
    assert much.admits(WINDOW_BYTES // 4 + 1, is_start=True)
    assert not much.admits(WINDOW_BYTES, is_start=True)


def test_a_desk_cannot_claim_that_it_received_less_than_nothing() -> None:
    window = Window()
    assert not window.received(0)  # the snapshot that a look begins with is on its way
    assert window.admits(100, is_start=True)
    assert not window.received(-50)
    assert window.under_way == 100


@given(st.lists(st.tuples(st.integers(1, CHUNK_BYTES), st.booleans(), st.integers(-5, 60_000))))
def test_a_viewer_never_has_more_than_its_window(frames: list[tuple[int, bool, int]]) -> None:
    window = Window()
    for size, is_start, received in frames:
        window.admits(size, is_start=is_start)
        assert window.under_way <= WINDOW_BYTES
        window.received(received)
        assert window.under_way >= 0
