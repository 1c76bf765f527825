"""Addresses that the product may call, and those that it may not (N8)."""

from __future__ import annotations

import re

import pytest

from core.outside_servers import Forbidden, check, is_public, read

PRIVATE = [
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"),
    *("::1", "::", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("2002:7f00:1::", "2002:a00:1::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://[::1]/", "http://localhost/", "http://0/", "http://127.1/"),
        *(
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://[::ffff:7f00:1]/",
        ),
        *(
            "http://169.254.169.254/latest/",
            "https://user@1.1.1.1/",
            "https://1.1.1.1\\@127.0.0.1/",
        ),
        *("https://1.1.1.1:22/", "https://1.1.1.1:6379/", "https://1.1.1.1:25/", "https://[1::"),
        *("file:///etc/passwd", "gopher://1.1.1.1/", "ftp://1.1.1.1/", "https://", ""),
        "https://no-such-name.invalid/",
    ],
)
def test_forbidden_addresses_are_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        check(url)


@pytest.mark.parametrize(
    "url", ["https://1.1.1.1/", "http://1.1.1.1:8080/x", "https://[2606:4700::1111]:8443/"]
)
def test_public_servers_may_be_called(url: str) -> None:
    check(url)


ALLOWED = read(["10.1.0.0/16", "10.2.2.2:11434", "localhost:9000", "[fd00::1]:11434", "fd01::/16"])


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://10.1.2.3/", "10.1.2.3"),
        ("http://10.1.2.3:8080/", "10.1.2.3"),
        ("http://[::ffff:10.1.2.3]/", "::ffff:10.1.2.3"),
        ("http://10.2.2.2:11434/", "10.2.2.2"),
        ("http://[fd00::1]:11434/", "fd00::1"),
        ("https://[fd01::7]/", "fd01::7"),
        ("http://LOCALHOST:9000/", ""),
        ("https://1.1.1.1/", "1.1.1.1"),
    ],
)
def test_allowed_private_servers_may_be_called(url: str, address: str) -> None:
    called = check(url, allowed=ALLOWED)
    assert called == address or (not address and called in {"127.0.0.1", "::1"})


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://10.2.0.1/",
            "http://10.0.255.255/",
            "http://127.0.0.1:9000/",
            "http://[fd02::1]/",
        ),
        # An entry without a port is for the usual ones, one with a port for this one.
        *("http://10.1.2.3:22/", "http://10.2.2.2/", "http://10.2.2.2:11435/", "http://localhost/"),
        *("https://1.1.1.1:11434/", "http://localhost.:9000/", "http://169.254.169.254/"),
        "http://user@10.1.2.3/",
    ],
)
def test_private_servers_that_are_not_listed_are_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        check(url, allowed=ALLOWED)


def test_every_address_of_a_name_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def two(*_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", ("10.1.2.3", 80)), (2, 1, 6, "", ("192.168.0.1", 80))]

    monkeypatch.setattr("core.outside_servers.socket.getaddrinfo", two)
    with pytest.raises(Forbidden):
        check("http://two.example/", allowed=ALLOWED)
    assert check("http://two.example/", allowed=read(["two.example"])) == "10.1.2.3"


@pytest.mark.parametrize(
    "word",
    [
        *("10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8:80", "llm.internal:", "llm.internal:x", ":80"),
        *("llm internal", "*.internal", "http://llm.internal", "llm.internal/x", "llm:70000"),
        *("127.1", "0x7f.1", "2130706433", "a..b", "-", "user@llm", "[fd00::1", "llm\\.internal"),
    ],
)
def test_an_invalid_server_in_the_allow_list_is_named(word: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(word)}$"):
        read(["10.0.0.0/8", word])
