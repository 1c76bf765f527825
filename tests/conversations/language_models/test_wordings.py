"""What a rewritten text and a summary may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.language_models.wordings import SUMMARY_LINES, is_rewording, summary_of


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
