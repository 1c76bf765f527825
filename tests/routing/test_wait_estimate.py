"""The wait is estimated from the pace of the queue, or not at all."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.core.cache import cache

from accounts.models import AgentChannel, Channel, Group
from routing import presence, wait_estimate
from routing.wait_estimate import QueuePace, minutes_within
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, connect, on_desk

MINUTE = timedelta(minutes=1)


def moves(
    count: int, minutes: float, quiet: float = 1, open_for: timedelta | None = None
) -> QueuePace:
    return QueuePace(count, minutes * MINUTE, quiet * MINUTE, open_for)


@pytest.mark.parametrize(
    ("place", "pace", "expected"),
    [
        (1, moves(20, 40), 5),  # two minutes each: nine in ten have their turn within 4.7
        (2, moves(20, 40), 10),
        (10, moves(20, 40), 45),
        (100, moves(20, 40), None),  # beyond four hours there is no estimate
        (1, moves(9, 18), None),  # too few for an estimate
        (3, moves(10, 20), 15),
        (1, moves(20, 40, quiet=9), None),  # the queue has stopped moving
        (1, moves(20, 40, quiet=8), 5),
        (10, moves(20, 40, open_for=20 * MINUTE), None),  # the group closes before
        (1, moves(20, 40, open_for=20 * MINUTE), 5),
        (1, moves(20, 0.02, quiet=0), 5),
        (1, QueuePace(0, timedelta(0), timedelta(0)), None),
    ],
)
def test_the_estimate_depends_on_place_and_pace(
    place: int, pace: QueuePace, expected: int | None
) -> None:
    assert minutes_within(place, pace) == expected


@pytest.mark.parametrize("place", [1, 3, 10])
def test_nine_in_ten_wait_no_longer_than_estimated(place: int) -> None:
    """Random pushes, 3 minutes apart on average; each visitor's estimate is based on the last
    twenty."""
    chance = random.Random(place)
    estimated = within_estimate = 0
    for _ in range(2000):
        gaps = [chance.expovariate(1 / 3) for _ in range(20)]
        quiet = chance.expovariate(1 / 3)
        within = minutes_within(place, moves(20, sum(gaps[:-1]) + quiet, quiet))
        if within is not None:
            estimated += 1
            within_estimate += sum(chance.expovariate(1 / 3) for _ in range(place)) <= within
    assert estimated > 1500
    assert within_estimate / estimated >= 0.9


@pytest.mark.django_db
def test_the_estimate_uses_the_pushes_of_an_open_group() -> None:
    step = StepFactory(places=100)
    agent = AgentFactory(slots=50)
    step.group.members.add(agent)
    desk = connect(agent)

    def estimate() -> int | None:
        cache.clear()
        return wait_estimate.wait_of(step.group_id, Channel.CHAT, 1, at=NOW)

    for n in range(10):
        on_desk(step, agent, at=NOW - (1 + 2 * n) * MINUTE)
        assert (estimate() is None) == (n < 9)
    assert estimate() == 5
    Group.objects.update(hours_change_at=NOW + MINUTE)
    assert estimate() is None
    Group.objects.update(is_open=False, hours_change_at=None)
    assert estimate() is None

    # The agents who made the pace have left, or take nothing more: then there is no estimate.
    Group.objects.update(is_open=True)
    assert estimate() == 5
    AgentChannel.objects.update(is_available=False)
    assert estimate() is None
    AgentChannel.objects.update(is_available=True)
    presence.disconnect(desk, at=NOW)
    assert estimate() is None
