"""What a rewritten text and a summary may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.language_models.wordings import (
    SUMMARY_LINES,
    is_rewording,
    is_translation,
    summary_of,
)


@pytest.mark.parametrize(
    ("before", "after", "is_one"),
    [
        ("We deliver tomorrow.", "Delivery is tomorrow.", True),
        ("We deliver tomorrow.", "", False),
        ("We deliver tomorrow.", " \n", False),
        ("See https://a.example/x.", "Please see https://a.example/x", True),
        ("See https://a.example/x.", "Please see https://b.example/x", False),
        ("We deliver tomorrow.", "Pay at www.evil.example", False),
        ("Write to us.", "Write to us@evil.example", False),
        ("Hi", "x" * 500, False),
    ],
)
def test_a_rewording_adds_no_address_and_is_not_much_longer(
    before: str, after: str, is_one: bool
) -> None:
    assert is_rewording(before, after) is is_one


def test_a_summary_has_at_most_five_lines_without_bullets() -> None:
    assert summary_of("- One\n\n2. Two\n* Three\n— Four\nFive\nSix") == (
        "One\nTwo\nThree\nFour\nFive"
    )
    assert summary_of(" \n\n") == ""


@given(st.text(max_size=3000))
def test_whatever_comes_a_summary_stays_short(text: str) -> None:
    lines = summary_of(text).split("\n")
    assert len(lines) <= SUMMARY_LINES
    assert all(len(line) <= 300 for line in lines)


@pytest.mark.parametrize(
    ("before", "after", "is_one"),
    [
        ("Hello (ada@shop.example).", "Bonjour : ada@shop.example !", True),
        ("See https://shop.example/a.", "Voir https://shop.example/a", True),
        ("Order 1234 567 890", "Commande 1234567890", True),
        ("At 3 pm", "À 15 h", True),
        ("Hello", "Bonjour, voyez https://evil.example", False),
        ("Hello", "Bonjour, écrivez à mallory@evil.example", False),
        ("See https://shop.example/a", "Voir https://shop.example/b", False),
        ("Order 1234567890", "Commande 1234567891", False),
        ("Order 1234567890", "Votre commande", False),
        ("Hello", "", False),
        ("Hello", "x" * 300, False),
    ],
)
def test_a_translation_has_the_addresses_and_long_numbers_of_its_original(
    before: str, after: str, is_one: bool
) -> None:
    assert is_translation(before, after) is is_one
