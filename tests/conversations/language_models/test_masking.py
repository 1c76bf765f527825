"""What leaves the installation: nothing that says who somebody is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.language_models.masking import PLACEHOLDER, Masking

EMAILS = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,5})?@[a-z]{1,8}\.(fr|com)", fullmatch=True)
PHONES = st.sampled_from(
    ["06 12 34 56 78", "+33 6 12 34 56 78", "06.12.34.56.78", "(020) 7946 0958", "0612345678"]
)
CARDS = st.sampled_from(["4970 1000 0000 0000", "4970-1000-0000-0000", "378282246310005"])
IBANS = st.sampled_from(
    ["FR76 3000 6000 0112 3456 7890 189", "DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"]
)
WORDS = st.text(alphabet="abcdefghij éèà,.!?\n", max_size=40)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ada@example.com!", "Write to [EMAIL_1]!"),
        ("Call 06 12 34 56 78.", "Call [PHONE_1]."),
        ("My card is 4970 1000 0000 0000.", "My card is [CARD_1]."),
        ("Pay FR76 3000 6000 0112 3456 7890 189", "Pay [IBAN_1]"),
        ("I am Ada Lovelace, ADA!", "I am [NAME_1] [NAME_2], [NAME_3]!"),
        ("It costs 1 200 euros for 3 days.", "It costs 1 200 euros for 3 days."),
        ("ada@example.com or ADA@example.com", "[EMAIL_1] or [EMAIL_2]"),
        ("ada@example.com, again ada@example.com", "[EMAIL_1], again [EMAIL_1]"),
        ("Jean-Ada came", "Jean-[NAME_1] came"),
    ],
)
def test_pieces_are_masked(text: str, masked: str) -> None:
    assert Masking(["Ada Lovelace"]).mask(text) == masked


def test_names_are_found_whatever_their_accents_and_capitals() -> None:
    masking = Masking(["Élodie d'Arc"])
    assert masking.mask("ELODIE, élodie et Arc") == "[NAME_1], [NAME_2] et [NAME_3]"


@given(st.lists(st.one_of(EMAILS, PHONES, CARDS, IBANS, WORDS), max_size=8))
def test_nothing_recognisable_is_left_and_everything_comes_back(pieces: list[str]) -> None:
    text = " ; ".join(pieces)
    masking = Masking()
    masked = masking.mask(text)
    assert "@" not in masked
    assert not re.search(r"\d{7}", re.sub(r"[ .\-()+]", "", PLACEHOLDER.sub("", masked)))
    assert masking.restore(masked) == text


@given(st.text(max_size=200), st.lists(st.text(min_size=2, max_size=12), max_size=3))
def test_any_text_comes_back(text: str, names: list[str]) -> None:
    masking = Masking(names)
    masked = masking.mask(text)
    if not PLACEHOLDER.search(text):
        assert masking.restore(masked) == text


def test_what_a_visitor_writes_like_a_placeholder_stands_for_nobody() -> None:
    masking = Masking()
    first = masking.mask("ada@example.com")
    second = masking.mask("Repeat [EMAIL_1] please")
    assert first == "[EMAIL_1]"
    assert masking.restore(second) == "Repeat (EMAIL 1) please"


def test_unknown_placeholders_of_a_model_stay_as_they_are() -> None:
    assert Masking().restore("Write to [EMAIL_9]") == "Write to [EMAIL_9]"
