"""The attribution of a transaction: the pure rule, by examples and by properties."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.sales.attribution import AttributionResult, Word, attribute
from tests.clock import NOW

DELAY = timedelta(hours=48)
A, B, BOT = 1, 2, None


def word(hours: float, agent_id: int | None, *, seq: int = 1) -> Word:
    """Return a message written this many hours before the transaction."""
    return Word(NOW - timedelta(hours=hours), 7, seq, agent_id)


@pytest.mark.parametrize(
    ("words", "outcome", "agent_id"),
    [
        ([], AttributionResult.NO_ANSWER, None),
        ([word(1, BOT)], AttributionResult.NO_ANSWER, None),
        ([word(1, A)], AttributionResult.ATTRIBUTED, A),
        ([word(3, A), word(2, B), word(1, BOT)], AttributionResult.ATTRIBUTED, B),
        ([word(1, A), word(-1, B)], AttributionResult.ATTRIBUTED, A),
        ([word(-1, B)], AttributionResult.NO_ANSWER, None),
        ([word(48, A)], AttributionResult.ATTRIBUTED, A),
        ([word(48.001, A)], AttributionResult.TOO_LATE, None),
        ([word(0, A)], AttributionResult.ATTRIBUTED, A),
        ([word(1, A, seq=1), word(1, B, seq=2)], AttributionResult.ATTRIBUTED, B),
    ],
)
def test_the_last_message_of_a_human_agent_decides(
    words: list[Word], outcome: AttributionResult, agent_id: int | None
) -> None:
    attributed = attribute(words, at=NOW, delay=DELAY)
    assert (attributed.outcome, attributed.agent_id) == (outcome, agent_id)


words = st.lists(
    st.builds(
        word,
        st.floats(-100, 100),
        st.sampled_from([A, B, BOT]),
        seq=st.integers(1, 50),
    ),
    unique_by=lambda w: (w.at, w.seq),
)


@given(earlier=words, later=words, shuffled=st.randoms())
def test_order_bots_and_later_messages_do_not_matter(
    earlier: list[Word], later: list[Word], shuffled: st.DataObject
) -> None:
    attributed = attribute(earlier, at=NOW, delay=DELAY)
    human = [w for w in earlier if w.agent_id is not None and w.at <= NOW]
    shuffled.shuffle(human)  # type: ignore[attr-defined]
    after = [w for w in later if w.at > NOW]
    assert attribute([*after, *human], at=NOW, delay=DELAY) == attributed
    assert (attributed.outcome is AttributionResult.NO_ANSWER) is (not human)
    if attributed.word is not None:
        assert attributed.elapsed == NOW - attributed.word.at
        assert (attributed.outcome is AttributionResult.ATTRIBUTED) is (attributed.elapsed <= DELAY)
