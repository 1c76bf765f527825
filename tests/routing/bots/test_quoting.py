"""What a bot writes when the knowledge has an answer: never a sentence without its source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.bots.plays import Facts, Found, Phrased, Quote
from routing.bots.quoting import LIMIT, message_of

ENGLISH = Facts(language="en")
DELIVERY = Quote("In two days.", "Delivery", "https://a.example/help/1/")
REFUNDS = Quote("In five days.", "Refunds", "https://a.example/help/2/")


def message(phrased: Phrased | None, quote: Quote | None = DELIVERY) -> str:
    return message_of(Found(ENGLISH, "ask", quote, phrased))


def test_each_sentence_ends_with_the_number_of_its_source_and_the_sources_follow() -> None:
    sentences = (("It takes two days.", (1,)), ("Both are free.", (1, 2)))
    assert message(Phrased(sentences, (DELIVERY, REFUNDS))) == (
        "It takes two days. [1]\nBoth are free. [1][2]\n\n"
        "[1] Delivery\nhttps://a.example/help/1/\n[2] Refunds\nhttps://a.example/help/2/"
    )


@pytest.mark.parametrize(
    "phrased",
    [
        None,
        Phrased((), (DELIVERY,)),
        Phrased((("A sentence.", ()),), (DELIVERY,)),
        Phrased((("A sentence.", (2,)),), (DELIVERY,)),
        Phrased((("A sentence.", (0,)),), (DELIVERY,)),
        Phrased((("", (1,)),), (DELIVERY,)),
        Phrased((("A sentence.", (1,)),), (Quote("x", "", "https://a.example"),)),
        Phrased((("A sentence.", (1,)),), (Quote("x", "Delivery", ""),)),
        Phrased((("A sentence.", (1,)), ("x" * LIMIT, (1,))), (DELIVERY,)),
    ],
)
def test_a_phrased_answer_without_a_source_gives_way_to_the_quote(phrased: Phrased | None) -> None:
    assert message(phrased) == "“In two days.”\n\nDelivery\nhttps://a.example/help/1/"
    assert message(phrased, None) == ""


TEXTS = st.sampled_from(["", "A sentence.", "x" * 900])
SOURCES = st.lists(st.sampled_from([DELIVERY, REFUNDS, Quote("x", "", ""), Quote("x", "y", "")]))
SENTENCES = st.lists(st.tuples(TEXTS, st.lists(st.integers(-1, 3)).map(tuple)))


@given(SENTENCES, SOURCES, st.sampled_from([None, DELIVERY, Quote("x", "", "")]))
def test_whatever_is_written_names_a_source_that_was_given(
    sentences: list[tuple[str, tuple[int, ...]]], sources: list[Quote], quote: Quote | None
) -> None:
    written = message(Phrased(tuple(sentences), tuple(sources)), quote)
    assert len(written) <= LIMIT
    if written:
        assert any(
            source.title and source.url and f"{source.title}\n{source.url}" in written
            for source in [*sources, quote]
            if source is not None
        )
