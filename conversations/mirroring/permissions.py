"""What an agent may do on a visitor's page, decided from what the server knows (R191).

Pure: no database, no clock. The visitor's browser decides again, with the page before it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accounts.models.cobrowsing import CobrowsingPermission as Permission

ASKED_AT_MOST = 3
"""How often a visitor may decline or stop in a conversation before nobody can ask again."""

TEXT_LENGTH = 1000
LABEL_LENGTH = 120
POINTS = 240
"""Of a drawing: the numbers x and y of 120 points."""

FARTHEST = 100_000
"""Pixels: beyond every page that is mirrored."""


class CobrowsingObstacle(StrEnum):
    """Why an agent cannot ask to act on the page."""

    OFF = "cobrowsing_off"
    NOT_HOLDER = "not_holder"
    BUSY = "busy"
    DECLINED = "declined_often"


@dataclass(frozen=True, slots=True)
class Request:
    """What decides whether an agent may ask."""

    permissions: Collection[str]
    holds: bool
    is_open: bool
    refusals: int


def obstacle(request: Request) -> CobrowsingObstacle | None:
    """Return the first obstacle, in the order in which it should be explained."""
    if not request.permissions:
        return CobrowsingObstacle.OFF
    if not request.holds:
        return CobrowsingObstacle.NOT_HOLDER
    if request.is_open:
        return CobrowsingObstacle.BUSY
    return CobrowsingObstacle.DECLINED if request.refusals >= ASKED_AT_MOST else None


def pointer(frame: dict[str, Any]) -> dict[str, int] | None:
    """Return a pointer's place on the page in pixels, or ``None`` if the frame is malformed."""
    x, y = frame.get("x"), frame.get("y")
    if isinstance(x, int) and isinstance(y, int) and _is_place(x) and _is_place(y):
        return {"x": x, "y": y}
    return None


def action(frame: dict[str, Any]) -> dict[str, Any] | None:
    """Return what an action says to the visitor's browser; ``None`` if it is malformed.

    ``node`` is the element's number in the mirror, and ``tag`` and ``label`` say what the agent saw
    there, so that the browser refuses an element that has changed.
    """
    kind = frame.get("kind")
    if kind not in Permission.values or kind in {Permission.POINT, Permission.SUBMIT}:
        return None
    if kind == Permission.DRAW:
        points = frame.get("points")
        return {"kind": kind, "points": points} if _is_line(points) else None
    node, tag, label = frame.get("node"), frame.get("tag"), frame.get("label")
    # Not ``isinstance``, for which true is a number.
    if type(node) is not int or node < 1:
        return None
    if not (_is_text(tag, 40) and _is_text(label, LABEL_LENGTH)):
        return None
    action = {"kind": kind, "node": node, "tag": tag, "label": label}
    if kind == Permission.SCROLL:
        dx, dy = frame.get("dx"), frame.get("dy")
        return action | {"dx": dx, "dy": dy} if _is_place(dx) and _is_place(dy) else None
    if kind == Permission.FILL:
        text = frame.get("text")
        return action | {"text": text} if _is_text(text, TEXT_LENGTH) else None
    return action


def _is_place(value: object) -> bool:
    return type(value) is int and -FARTHEST <= value <= FARTHEST


def _is_line(points: object) -> bool:
    if not isinstance(points, list) or len(points) % 2 or not 4 <= len(points) <= POINTS:
        return False
    return all(map(_is_place, points))


def _is_text(value: object, length: int) -> bool:
    return isinstance(value, str) and len(value) <= length
