"""Every sentence of an answer is proven by the passages that it names, or there is no answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.language_models.citations import Sentence, check

PASSAGES = (
    "Refunds: We refund within 14 days after the parcel has returned. Write to help@shop.example.",
    "Delivery: Parcels arrive within 2 working days. Express costs 4.90 euros.",
)


def test_a_proven_answer_is_taken_apart() -> None:
    answer = "We refund within 14 days. [1] Parcels arrive within 2 working days [2]."
    assert check(answer, PASSAGES) == (
        Sentence("We refund within 14 days.", (1,)),
        Sentence("Parcels arrive within 2 working days", (2,)),
    )


def test_a_sentence_may_name_several_passages() -> None:
    answer = "Parcels arrive within 2 days and we refund within 14 days. [1][2]"
    checked = check(answer, PASSAGES)
    assert checked is not None
    assert checked[0].sources == (1, 2)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "NONE",
        "We refund within 14 days.",  # no source
        "We refund within 14 days. [3]",  # a passage that was not given
        "We refund within 14 days. [0]",
        "We refund within 15 days. [1]",  # another figure
        "Express costs 4.90 euros. [1]",  # the figure of another passage
        "Express costs 4.95 euros. [2]",
        "Refund within 14 days, write to other@shop.example. [1]",  # another address
        "We refund, see https://evil.example/refund. [1]",
        "We refund within 14 days. [1] And there is a gift for everybody.",  # the last has none
        "Our elephants dance beautifully tonight. [1]",  # nothing of it is in the passage
        "[1]",
        "We refund within 14 days. Everybody receives presents. [1]",  # one mark for two sentences
        "Refund within 14 days.\nParcel returned. [1]",
        "We refund within 14 days. [1] " * 20,
        "x" * 5000 + " [1]",
    ],
)
def test_what_is_not_proven_is_not_an_answer(answer: str) -> None:
    assert check(answer, PASSAGES) is None


@given(st.text(max_size=300), st.lists(st.text(max_size=80), max_size=4))
def test_whatever_passes_names_given_passages_only_and_has_no_foreign_figure(
    answer: str, passages: list[str]
) -> None:
    for sentence in check(answer, passages) or ():
        assert sentence.text
        assert sentence.sources
        assert all(1 <= number <= len(passages) for number in sentence.sources)


WORDS = st.lists(st.sampled_from(["parcels", "refund", "days", "arrive", "gold", "77"]), min_size=2)


@given(st.lists(st.tuples(WORDS, st.integers(0, 3)), min_size=1, max_size=4))
def test_a_figure_that_no_passage_has_is_never_said(sentences: list[tuple[list[str], int]]) -> None:
    answer = " ".join(f"{' '.join(words)}. [{number}]" for words, number in sentences)
    checked = check(answer, PASSAGES)
    if checked is not None:
        assert not any("77" in sentence.text for sentence in checked)
        assert {number for sentence in checked for number in sentence.sources} <= {1, 2}
