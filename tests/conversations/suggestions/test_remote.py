"""What a provider of suggestions may answer."""

from __future__ import annotations

import pytest

from conversations.suggestions import remote


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"suggestions": "text"}',
        b'{"suggestions": null}',
        b'{"suggestions": NaN}',
        b"[" * 60_000,
        b'{"suggestions": ' + b"[" * 60_000,
    ],
)
def test_an_answer_in_another_format_is_a_failure(content: bytes) -> None:
    with pytest.raises(remote.Failed):
        remote._suggested(content)


def test_texts_are_cleaned_and_those_that_cannot_be_messages_left_out() -> None:
    content = b'{"suggestions": ["\\ud800 Hello", "a\\u0000b", "", {}, ["x"]]}'
    assert [one.body for one in remote._suggested(content)] == ["Hello", "ab"]


def test_only_the_first_few_suggestions_are_taken() -> None:
    content = b'{"suggestions": [' + b", ".join([b'"Hello"'] * 50) + b"]}"
    assert len(remote._suggested(content)) == remote.MOST
