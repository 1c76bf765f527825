"""Choices and cards: their validation, and the plain text with the same meaning."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.messages import rich_content
from core.rejection import Rejected

DOMAINS = ["shop.example", "*.cdn.example"]
CARD = {
    "title": "Lune",
    "text": "A lamp",
    "image": "https://img.cdn.example/lune.png",
    "links": [{"text": "See it", "url": "https://anywhere.example/lune?a=1#b"}],
}


def test_stored_text_contains_choices_and_cards() -> None:
    body, offer = rich_content.check_rich_content(
        "Which one?", ["Lune", " Halo\n"], [CARD], domains=DOMAINS
    )
    assert body == (
        "Which one?\n\nLune\nA lamp\nSee it: https://anywhere.example/lune?a=1#b\n\n• Lune\n• Halo"
    )
    assert offer == {"text": "Which one?", "choices": ["Lune", "Halo"], "cards": [CARD]}


def test_plain_text_has_no_rich_content() -> None:
    assert rich_content.check_rich_content("Hello", None, [], domains=DOMAINS) == ("Hello", None)


def test_cards_need_no_text() -> None:
    body, offer = rich_content.check_rich_content("", [], [{"title": "Lune"}], domains=DOMAINS)
    assert (body, offer and offer["cards"]) == (
        "Lune",
        [{"title": "Lune", "text": "", "image": "", "links": []}],
    )


@pytest.mark.parametrize(
    ("body", "choices", "cards"),
    [
        ("", ["yes"], None),  # choices need a question
        ("?", "yes", None),
        ("?", [""], None),
        ("?", [1], None),
        ("?", ["x" * 81], None),
        ("?", [str(n) for n in range(9)], None),
        ("?", ["yes", "yes "], None),
        ("?", None, [{"text": "no title"}]),
        ("?", None, [{"title": "t", "html": "<b>"}]),
        ("?", None, [{"title": "t"}] * 7),
        ("?", None, [{"title": "t" * 101}]),
        ("?", None, [{"title": "t", "image": "https://elsewhere.example/x.png"}]),
        ("?", None, [{"title": "t", "image": "https://shop.example@evil.example/x.png"}]),
        ("?", None, [{"title": "t", "links": [{"text": "x", "url": "javascript:alert(1)"}]}]),
        ("?", None, [{"title": "t", "links": [{"text": "x", "url": "//evil.example"}]}]),
        ("?", None, [{"title": "t", "links": [{"text": "x", "url": "https://a b"}]}]),
        ("?", None, [{"title": "t", "links": [{"text": "x", "url": "https://[x"}]}]),
        ("?", None, [{"title": "t", "links": [{"url": "https://a.example"}]}]),
    ],
)
def test_invalid_rich_content_is_rejected(body: str, choices: Any, cards: Any) -> None:
    with pytest.raises(Rejected) as refused:
        rich_content.check_rich_content(body, choices, cards, domains=DOMAINS)
    assert refused.value.status == 400
