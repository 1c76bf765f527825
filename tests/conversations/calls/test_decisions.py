"""Who may call, and when a conversation goes back to its queue. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.calls.decisions import Case, Obstacle, goes_back, obstacle
from conversations.calls.states import CallEnd, Side

FREE = Case(
    has_calls=True,
    has_video=True,
    wants_video=True,
    is_on_desk=True,
    is_party=True,
    has_consented=True,
    is_blocked=False,
    is_ongoing=False,
    is_busy=False,
    is_there=True,
)
IN_THE_WAY = {
    Obstacle.OFF: {"has_calls": False},
    Obstacle.NO_VIDEO: {"has_video": False},
    Obstacle.NOT_ON_DESK: {"is_on_desk": False},
    Obstacle.NOT_YOURS: {"is_party": False},
    Obstacle.NO_CONSENT: {"has_consented": False},
    Obstacle.BLOCKED: {"is_blocked": True},
    Obstacle.ONGOING: {"is_ongoing": True},
    Obstacle.BUSY: {"is_busy": True},
    Obstacle.AWAY: {"is_there": False},
}


def test_nothing_is_in_the_way() -> None:
    assert obstacle(FREE) is None


def test_each_obstacle_alone() -> None:
    assert set(IN_THE_WAY) == set(Obstacle)
    for found, changes in IN_THE_WAY.items():
        assert obstacle(replace(FREE, **changes)) == found


def test_a_voice_call_needs_no_video() -> None:
    assert obstacle(replace(FREE, has_video=False, wants_video=False)) is None


@given(st.sets(st.sampled_from(Obstacle), min_size=1))
def test_of_several_obstacles_the_first_is_told(several: set[Obstacle]) -> None:
    changes = {name: value for one in several for name, value in IN_THE_WAY[one].items()}
    assert obstacle(replace(FREE, **changes)) == next(one for one in Obstacle if one in several)


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({}, True),
        ({"has_timer": False, "is_for_calls": True}, True),
        ({"has_timer": False}, False),  # this group never takes conversations away
        ({"begun_by": Side.AGENT}, False),
        ({"end": CallEnd.CANCELLED}, False),  # the visitor gave up earlier
        ({"end": CallEnd.DECLINED}, False),
        ({"is_on_desk": False}, False),
    ],
)
def test_only_an_unanswered_call_of_the_visitor_sends_the_conversation_back(
    changes: dict[str, object], goes: bool
) -> None:
    given_: dict[str, object] = {
        "end": CallEnd.NO_ANSWER,
        "begun_by": Side.VISITOR,
        "has_timer": True,
        "is_for_calls": False,
        "is_on_desk": True,
    }
    assert goes_back(**(given_ | changes)) is goes  # type: ignore[arg-type]
