"""What the server knows of an agent's action, before the visitor's browser sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conversations.mirroring.permissions import (
    ASKED_AT_MOST,
    POINTS,
    CobrowsingObstacle,
    Request,
    action,
    obstacle,
    pointer,
)

FREE = Request(permissions=["click"], holds=True, is_open=False, refusals=0)
CLICK = {"type": "act", "key": 1, "kind": "click", "node": 7, "tag": "button", "label": "Buy"}


def test_the_holder_may_ask_where_the_website_allows_something() -> None:
    assert obstacle(FREE) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"permissions": []}, CobrowsingObstacle.OFF),
        ({"holds": False}, CobrowsingObstacle.NOT_HOLDER),
        ({"is_open": True}, CobrowsingObstacle.BUSY),
        ({"refusals": ASKED_AT_MOST}, CobrowsingObstacle.DECLINED),
    ],
)
def test_each_obstacle_is_named(change: dict[str, Any], expected: CobrowsingObstacle) -> None:
    assert obstacle(replace(FREE, **change)) == expected


def test_an_action_passes_only_with_what_belongs_to_it() -> None:
    assert action(CLICK | {"text": "x", "href": "javascript:1"}) == {
        "kind": "click",
        "node": 7,
        "tag": "button",
        "label": "Buy",
    }
    said = CLICK | {"kind": "fill", "text": "Lyon", "tag": "input"}
    assert (action(said) or {})["text"] == "Lyon"
    assert action({"kind": "draw", "points": [1, 2, 3, 4]}) == {
        "kind": "draw",
        "points": [1, 2, 3, 4],
    }
    scrolled = action(CLICK | {"kind": "scroll", "dx": 0, "dy": -300})
    assert scrolled is not None
    assert scrolled["dy"] == -300


@pytest.mark.parametrize(
    "frame",
    [
        {},
        CLICK | {"kind": "point"},
        CLICK | {"kind": "submit"},
        CLICK | {"kind": ["click"]},
        CLICK | {"kind": "eval"},
        CLICK | {"node": 0},
        CLICK | {"node": True},
        CLICK | {"node": "7"},
        CLICK | {"label": None},
        CLICK | {"label": "x" * 121},
        CLICK | {"tag": "x" * 41},
        CLICK | {"kind": "fill"},
        CLICK | {"kind": "fill", "text": "x" * 1001},
        CLICK | {"kind": "scroll", "dx": 0, "dy": 1e9},
        CLICK | {"kind": "scroll", "dx": 0, "dy": 10**9},
        {"kind": "draw", "points": [1, 2, 3]},
        {"kind": "draw", "points": [1, 2]},
        {"kind": "draw", "points": [1, 2, 3, "4"]},
        {"kind": "draw", "points": [1] * (POINTS + 2)},
        {"kind": "draw", "points": "1234"},
    ],
)
def test_malformed_actions_are_refused(frame: dict[str, Any]) -> None:
    assert action(frame) is None


def test_a_pointer_has_a_place() -> None:
    assert pointer({"x": 3, "y": -4, "z": 5}) == {"x": 3, "y": -4}
    for frame in ({"x": 3}, {"x": True, "y": 1}, {"x": 3, "y": "4"}, {"x": 10**6, "y": 1}):
        assert pointer(frame) is None
