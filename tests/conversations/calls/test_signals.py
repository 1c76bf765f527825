"""What passes between the browsers of a call: known values only, whatever is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.calls.signals import SDP_LENGTH, signal_of

SESSION = {"session": "one"}
DESCRIPTION = {"type": "offer", "sdp": "v=0\r\n"}
CANDIDATE = {
    "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "signal",
    [
        {"hello": True},
        {"description": DESCRIPTION},
        {"candidate": CANDIDATE},
        {"candidate": {**CANDIDATE, "sdpMid": None, "sdpMLineIndex": None}},
        {"candidate": None},
        {"state": {"muted": True, "camera": False, "held": False, "screen": False}},
    ],
)
def test_known_signals_pass_as_they_are(signal: dict[str, Any]) -> None:
    whole = SESSION | {"to": "two"} | signal
    assert signal_of(whole) == whole


@pytest.mark.parametrize(
    "signal",
    [
        {},
        {"hello": 1},
        {"hello": True, "candidate": None},
        {"hello": True, "session": "<b>"},
        {"hello": True, "to": ["two"]},
        {"description": {"type": "rollback", "sdp": "v=0"}},
        {"description": {"type": "offer", "sdp": ""}},
        {"description": {"type": "offer", "sdp": "x" * (SDP_LENGTH + 1)}},
        {"description": {"type": ["offer"], "sdp": "v=0"}},
        {"candidate": {"candidate": "x" * 1001}},
        {"candidate": {"candidate": "x", "sdpMid": "a b"}},
        {"candidate": {"candidate": "x", "sdpMLineIndex": True}},
        {"candidate": {"candidate": "x", "sdpMLineIndex": -1}},
        {"state": [True]},
    ],
)
def test_others_do_not(signal: dict[str, Any]) -> None:
    assert signal_of(SESSION | signal) is None


def test_what_is_not_known_is_left_out() -> None:
    odd = SESSION | {"description": DESCRIPTION | {"run": "me"}, "html": "<b>"}
    assert signal_of(odd) == SESSION | {"description": DESCRIPTION}
    flags = signal_of(SESSION | {"state": {"muted": "yes", "other": True}})
    assert flags == SESSION | {
        "state": {"muted": False, "camera": False, "held": False, "screen": False}
    }


PARTS = ("hello", "description", "candidate", "state", "to")
LIKE_SIGNALS = st.fixed_dictionaries(
    {"session": st.just("one")}, optional=dict.fromkeys(PARTS, JSON)
)


@given(JSON | LIKE_SIGNALS)
def test_nothing_that_is_sent_breaks_it(data: Any) -> None:
    signal = signal_of(data)
    assert signal is None or set(signal) <= {"session", *PARTS}
