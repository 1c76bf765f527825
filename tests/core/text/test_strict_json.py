"""JSON from outside: read strictly, so that every value can be stored and written again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rejection import Rejected
from core.text.strict_json import DEPTH, LARGEST, Malformed, parse, parse_object

PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST, LARGEST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_ordinary_values_come_through_unchanged(value: object) -> None:
    assert parse(json.dumps(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        value = parse(body)
    except Malformed:
        return
    assert "\\u0000" not in json.dumps(value, allow_nan=False)


def test_nesting_is_read_to_a_limit() -> None:
    inside = b"[" * DEPTH + b"]" * DEPTH
    assert parse(inside) is not None
    with pytest.raises(Malformed):
        parse(b"[[" + inside + b"]]")


@pytest.mark.parametrize("number", [LARGEST, -LARGEST])
def test_the_largest_number_fits_a_column(number: int) -> None:
    assert parse(str(number)) == number
    with pytest.raises(Malformed):
        parse(str(number + (1 if number > 0 else -1)))


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7"])
def test_an_object_is_nothing_else(body: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        parse_object(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{\x00}\x00",  # UTF-16
        b'{"a": "\xe9"}',  # Latin-1
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 9223372036854775808}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
    ],
)
def test_ambiguous_json_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)
    with pytest.raises(Rejected) as refused:
        parse_object(body)
    assert refused.value.status == 400


def test_json_is_cleaned_in_keys_and_values() -> None:
    body = b'\xef\xbb\xbf{"a\\u0000": ["\\ud83d\\ude00", "\\ud83d", true, null, 1, 1.5, '
    body += b'{"\\udc00": "x"}]}'
    assert parse(body) == {"a\ufffd": ["😀", "\ufffd", True, None, 1, 1.5, {"\ufffd": "x"}]}
    assert parse(b'{"amount": 10.10}', read_number=str) == {"amount": "10.10"}
