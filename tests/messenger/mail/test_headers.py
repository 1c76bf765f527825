"""Headers as mail programs really write them."""

from __future__ import annotations

import pytest

from messenger.mail import headers


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?q?Lampe_n=C2=B0?= 4", "Lampe n° 4"),
        ("=?utf-8?q?Re=3A?= C:\\users\\alice", "Re: C:\\users\\alice"),
        ("=?utf-8?q?Re=3A?= \\U00ffffff", "Re: \\U00ffffff"),
        ("=?utf-8?b?a?= x", "=?utf-8?b?a?= x"),
        ("=?no-such-charset?q?a?=", "a"),
    ],
)
def test_a_header_is_decoded_or_left_as_it_is(raw: str, text: str) -> None:
    assert headers.decoded(raw) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Alice Martin <Alice@Example.com>", ["alice@example.com"]),
        ("Martin, Alice <alice@example.com>", ["alice@example.com"]),
        ('"alice@example.com" <bob@example.com>', ["bob@example.com"]),
        (
            "alice@example.com, bob@example.com; alice@example.com",
            ["alice@example.com", "bob@example.com"],
        ),
        ("alice@example.com (bob@example.com)", ["alice@example.com"]),
        ("=?utf-8?q?alice=40example=2Ecom?=", ["alice@example.com"]),
        ("alice@bücher.example", ["alice@xn--bcher-kva.example"]),
        ("al\u200bice@example.com.", ["alice@example.com"]),
        ("nobody", []),
        ("<>", []),
    ],
)
def test_addresses_are_found_and_normalized(value: str, expected: list[str]) -> None:
    assert headers.addresses([value]) == expected


def test_only_the_first_addresses_of_a_huge_header_are_read() -> None:
    assert headers.addresses(["alice@example.com " + "x" * 20_000 + " <bob@example.com>"]) == [
        "alice@example.com"
    ]
