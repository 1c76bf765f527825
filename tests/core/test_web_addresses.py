"""Addresses from outside: read as a browser reads them, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.web_addresses import host_of, parse

HOSTILE = [
    "https://evil.example\\@shop.example/",
    "https:\\\\evil.example/",
    "https://evil.example\\.shop.example/",
    "https://shop.example@evil.example/",
    "https://user:word@shop.example/",
    "https://@shop.example/",
    "https://evil.example\t.shop.example/",
    "https://evil.example\n/",
    "https://evil.example\u202e/",
    "https://evil.example\u200b/",
    "https://shop.example/\0",
    "https://shop.example/ x",
    "https://evil.example%2f.shop.example/",
    "https://[::1/",
    "https://[x]/",
    "http://[",
    "https://shop.example:port/",
    "https://shop.example:99999/",
    "https:///path",
    "https:shop.example",
    "//shop.example/",
    "javascript://shop.example/%0aalert(1)",
    "data:text/html,x",
    "ftp://shop.example/",
    "null",
    "",
    None,
    7,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_ambiguous_addresses_are_rejected(text: object) -> None:
    assert parse(text) is None
    assert host_of(text) == ""


@pytest.mark.parametrize(
    ("text", "host", "rebuilt"),
    [
        ("https://Shop.Example/Panier?a=1#x", "shop.example", "https://shop.example/Panier?a=1#x"),
        ("HTTP://shop.example:8000", "shop.example:8000", "http://shop.example:8000"),
        ("http://[::1]:8000/", "[::1]:8000", "http://[::1]:8000/"),
        ("https://shop.example?q=a@b", "shop.example", "https://shop.example?q=a@b"),
        ("https://café.example/été", "café.example", "https://café.example/été"),
        ("https://shop.example/a//b@c:d", "shop.example", "https://shop.example/a//b@c:d"),
    ],
)
def test_address_is_rebuilt_from_its_host(text: str, host: str, rebuilt: str) -> None:
    address = parse(text)
    assert address is not None
    assert (address.host, str(address)) == (host, rebuilt)
    assert "#" not in address.without_fragment


@given(st.text(max_size=60))
def test_rebuilt_address_parses_to_itself(text: str) -> None:
    address = parse(f"https://{text}")
    if address is not None:
        assert parse(str(address)) == address
