"""Cleaning of strings from outside: marked characters, one-line labels, whole emoji."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.cleaning import clean, cut, is_identifier, line, words

ANY = st.text(st.characters(codec=None), max_size=60)


@given(ANY)
def test_cleaned_text_can_be_stored(text: str) -> None:
    for cleaned in (clean(text), words(text), line(text)):
        assert "\0" not in cleaned
        assert cleaned.encode().decode() == cleaned


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffd"), max_size=60
    )
)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert clean(text) == text
    assert words(text) == text.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0b", "a\ufffdb"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("👩‍👩‍👧‍👦 می‌خواهم", "👩‍👩‍👧‍👦 می‌خواهم"),
    ],
)
def test_characters_that_cannot_be_stored_are_marked(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Maison\tCéleste \n", "Maison Céleste"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("Al\u200bice\ufeff \u2066x\u2069", "Alice x"),
        ("pay\u00adpal a\u200db", "paypal ab"),  # between Latin letters, joiners only hide text
        ("می‌خواهم क्‍ष", "می‌خواهم क्‍ष"),
        (
            "👩‍👩‍👧‍👦 👍🏽 ❤️ 🏴\U000e0067\U000e0062\U000e007f",
            "👩‍👩‍👧‍👦 👍🏽 ❤️ 🏴\U000e0067\U000e0062\U000e007f",
        ),
        ("a\U000e0067b", "ab"),
        ("one\u2028two\x85three", "one two three"),
        ("\ufffd\0", ""),
        ("한국어 ไทย", "한국어 ไทย"),
    ],
)
def test_a_label_is_one_clean_line(text: str, expected: str) -> None:
    assert line(clean(text)) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("ab😀", 3, "ab😀"),
        ("ab👩‍👧", 4, "ab"),
        ("ab👍🏽", 3, "ab"),
        ("abe\u0301", 3, "ab"),
        ("a🇫🇷🇬🇧", 4, "a🇫🇷"),
        ("a🇫🇷🇬🇧", 3, "a🇫🇷"),
        ("a🇫🇷🇬🇧", 2, "a"),
        ("e" + "\u0301" * 9, 3, "e\u0301\u0301"),
    ],
)
def test_a_cut_leaves_whole_characters(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


@given(st.text(max_size=40), st.integers(1, 20))
def test_a_cut_is_a_prefix_within_the_limit(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
    assert text.startswith(cut(text, limit))


@pytest.mark.parametrize("text", ["", "a\0", "a\ufffd", "a\u202e", "a\u200b", "a\nb"])
def test_invisible_text_is_no_identifier(text: str) -> None:
    assert not is_identifier(text)
    assert is_identifier("C-1042 é 客")


@given(st.text(max_size=40))
def test_a_label_has_no_text_direction_characters(text: str) -> None:
    cleaned = line(text)
    assert not any(
        unicodedata.bidirectional(c) in {"RLO", "LRO", "RLE", "LRE", "PDF"} for c in cleaned
    )
    assert line(cleaned) == cleaned
