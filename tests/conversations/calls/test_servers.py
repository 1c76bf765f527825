"""The credentials of TURN servers, by coturn's scheme."""

from __future__ import annotations

from dataclasses import replace

from conversations.calls.servers import Servers, password_of

SERVERS = Servers(
    stun=["stun:stun.example.com"],
    turn=["turn:turn.example.com", "turns:turn.example.com:5349"],
    secret="north",
    lifetime=3600,
    only_relay=False,
)


def test_the_password_is_that_of_coturn() -> None:
    # As by: printf '1700003600:visitor-1' | openssl dgst -sha1 -hmac north -binary | base64
    assert password_of("1700003600:visitor-1", secret="north") == "o+xP9KoIArjRMrz+U7WkrkgfHJY="


def test_credentials_expire_and_name_the_party() -> None:
    rtc = SERVERS.configuration("visitor-1", now=1_700_000_000.9)
    [stun, turn] = rtc["iceServers"]
    assert stun == {"urls": ["stun:stun.example.com"]}
    assert turn["username"] == "1700003600:visitor-1"
    assert turn["credential"] == password_of("1700003600:visitor-1", secret="north")
    assert turn["urls"] == SERVERS.turn
    assert rtc["iceTransportPolicy"] == "all"
    assert "north" not in str(rtc)


def test_without_servers_the_browsers_try_directly() -> None:
    none = replace(SERVERS, stun=[], turn=[], secret="")
    assert none.configuration("agent-1", now=0)["iceServers"] == []


def test_relayed_calls_only() -> None:
    rtc = replace(SERVERS, only_relay=True).configuration("agent-1", now=0)
    assert rtc["iceTransportPolicy"] == "relay"
