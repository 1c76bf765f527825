"""What the browsers of a call may say to each other through the server, checked strictly.

Pure: no Django. What one side sends reaches the browser of the other, so only known values pass.
"""

from __future__ import annotations

import re
from typing import Any

SIGNAL_BYTES = 32 * 1024
"""The largest frame of a signal: a description of voice, camera and screen has 6 to 12 KB."""

SDP_LENGTH = 30_000
CANDIDATE_LENGTH = 1000
FLAGS = ("muted", "camera", "held", "screen")
_NAME = re.compile(r"[0-9a-zA-Z-]{1,64}")
_TYPES = ("offer", "answer")


def signal_of(data: object) -> dict[str, Any] | None:
    """Return a signal with its known values only, or ``None`` if it is none.

    A signal names the ``session`` of its sender (one RTCPeerConnection) and has one of:
    ``hello`` (true: "this is my session; is it yours, too?"), ``description``, ``candidate`` (null:
    all were sent) and ``state`` (what the sender's microphone, camera, hold and screen are).
    """
    if not isinstance(data, dict) or not _is_name(data.get("session")):
        return None
    signal: dict[str, Any] = {"session": data["session"]}
    if "to" in data:
        if not _is_name(data["to"]):
            return None
        signal["to"] = data["to"]
    parts = {
        "hello": lambda value: True if value is True else None,
        "description": _description,
        "candidate": _candidate,
        "state": _state,
    }
    present = [name for name in parts if name in data]
    if len(present) != 1:
        return None
    [name] = present
    if name == "candidate" and data[name] is None:
        return signal | {"candidate": None}
    value = parts[name](data[name])
    return None if value is None else signal | {name: value}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _description(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict) or value.get("type") not in _TYPES:
        return None
    sdp = value.get("sdp")
    if not isinstance(sdp, str) or not 0 < len(sdp) <= SDP_LENGTH:
        return None
    return {"type": value["type"], "sdp": sdp}


def _candidate(value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    text, mid, line = value.get("candidate"), value.get("sdpMid"), value.get("sdpMLineIndex")
    if not isinstance(text, str) or len(text) > CANDIDATE_LENGTH:
        return None
    if not (mid is None or _is_name(mid)):
        return None
    if not (line is None or (type(line) is int and 0 <= line < 32)):
        return None
    return {"candidate": text, "sdpMid": mid, "sdpMLineIndex": line}


def _state(value: object) -> dict[str, bool] | None:
    if not isinstance(value, dict):
        return None
    return {name: value.get(name) is True for name in FLAGS}
