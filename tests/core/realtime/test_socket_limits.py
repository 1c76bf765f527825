"""What one socket may send, and how many sockets one holder may have."""

from __future__ import annotations

from core.realtime.socket_limits import FRAME_SECONDS, FRAMES, FrameBudget, OpenSockets


def test_flood_of_frames_is_refused_until_time_has_passed() -> None:
    budget = FrameBudget()
    assert all(budget.admits(0.0) for _ in range(FRAMES))
    assert not budget.admits(FRAME_SECONDS - 0.1)
    assert all(budget.admits(FRAME_SECONDS) for _ in range(FRAMES))


def test_steady_frames_are_admitted() -> None:
    budget = FrameBudget()
    assert all(budget.admits(n * 1.01 * FRAME_SECONDS / FRAMES) for n in range(5 * FRAMES))


def test_each_holder_has_a_number_of_sockets() -> None:
    sockets = OpenSockets({"visitor": 2, "address": 3})
    assert sockets.enter(visitor="a", address="x")
    assert sockets.enter(visitor="a", address="x")
    assert not sockets.enter(visitor="a", address="y")
    assert sockets.enter(visitor="b", address="x")
    assert not sockets.enter(visitor="c", address="x")
    sockets.leave(visitor="a", address="x")
    assert sockets.enter(visitor="c", address="x")
    assert sockets.enter(visitor="d", address="")  # a Unix socket has no address


def test_nothing_remains_of_holders_who_left() -> None:
    sockets = OpenSockets({"visitor": 2, "address": 3})
    for number in range(50):
        assert sockets.enter(visitor=str(number), address="x")
        sockets.leave(visitor=str(number), address="x")
    assert not sockets._open
