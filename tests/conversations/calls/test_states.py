"""The life of a call, pure: which steps are possible, and that every life is one of the known."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.calls.states import (
    OPEN,
    PASSAGES,
    CallEnd,
    CallStatus,
    CallStep,
    NoSuchStep,
    Side,
    passage,
    step_to_end,
)

STEPS = st.lists(st.sampled_from(CallStep), max_size=8)


def lived(steps: list[CallStep]) -> list[tuple[CallStatus, CallEnd | None]]:
    """Return the states of a call that is asked for these steps; refused ones change nothing."""
    status, states = CallStatus.RINGING, []
    for step in steps:
        try:
            leads = passage(status, step)
        except NoSuchStep:
            continue
        status = leads.status
        states.append((status, leads.end))
    return states


@given(STEPS)
def test_a_call_is_answered_at_most_once_and_ends_at_most_once(steps: list[CallStep]) -> None:
    states = lived(steps)
    assert len(states) <= 2
    assert [status for status, _end in states[:-1]] in ([], [CallStatus.ANSWERED])
    assert sum(status not in OPEN for status, _end in states) <= 1


@given(STEPS)
def test_exactly_the_calls_that_are_over_have_an_end(steps: list[CallStep]) -> None:
    assert all((end is None) == (status in OPEN) for status, end in lived(steps))


@given(STEPS)
def test_only_answered_calls_end_and_only_ringing_ones_are_missed(steps: list[CallStep]) -> None:
    statuses = [CallStatus.RINGING, *(status for status, _end in lived(steps))]
    for before, after in pairwise(statuses):
        if after == CallStatus.ENDED:
            assert before == CallStatus.ANSWERED
        if after in {CallStatus.MISSED, CallStatus.DECLINED, CallStatus.ANSWERED}:
            assert before == CallStatus.RINGING


@pytest.mark.parametrize("status", CallStatus)
@pytest.mark.parametrize("step", CallStep)
def test_what_is_not_in_the_table_is_refused(status: CallStatus, step: CallStep) -> None:
    if (status, step) in PASSAGES:
        assert passage(status, step) == PASSAGES[status, step]
        return
    with pytest.raises(NoSuchStep):
        passage(status, step)


def test_nothing_follows_the_end() -> None:
    assert {status for status, _step in PASSAGES} == OPEN


@pytest.mark.parametrize(
    ("status", "by", "step"),
    [
        (CallStatus.RINGING, Side.VISITOR, CallStep.CANCEL),
        (CallStatus.RINGING, Side.AGENT, CallStep.DECLINE),
        (CallStatus.ANSWERED, Side.VISITOR, CallStep.HANG_UP),
        (CallStatus.ANSWERED, Side.AGENT, CallStep.HANG_UP),
    ],
)
def test_the_red_button_of_a_call_that_the_visitor_began(
    status: CallStatus, by: Side, step: CallStep
) -> None:
    assert step_to_end(status, by=by, begun_by=Side.VISITOR) == step
