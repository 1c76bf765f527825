"""Who may look at a visitor's page, and how many bytes of it may be under way.

Pure: no Django, no clock. ``now`` is in seconds, from any origin.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

PLACES = 3
"""How many may look at the same time."""

CHUNK_BYTES = 32 * 1024
"""The largest frame, so that a frame is never in the way of another for long."""

BURST_BYTES = 2 * 1024 * 1024
BYTES_PER_SECOND = 128 * 1024
FRAME_BYTES = 1024
"""What a smaller frame counts as: each of them takes the channel layer the same trip."""

WINDOW_BYTES = 512 * 1024
START = 1
"""The bit of a frame's first byte that says: here begins a full snapshot."""


class Obstacle(StrEnum):
    """Why an agent cannot look."""

    OFF = "off"
    CLOSED = "closed"
    NOT_YOURS = "not_yours"
    NO_CONSENT = "no_consent"
    STOPPED = "stopped"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Case:
    """What decides whether an agent may look at the page of a conversation's visitor."""

    is_on: bool
    is_closed: bool
    holds: bool
    oversees: bool
    has_consented: bool
    is_stopped: bool
    taken: Collection[int]


def obstacle(case: Case) -> Obstacle | None:
    """Return the first obstacle, in the order in which it should be explained."""
    if not case.is_on:
        return Obstacle.OFF
    if case.is_closed:
        return Obstacle.CLOSED
    if not (case.holds or case.oversees):
        return Obstacle.NOT_YOURS
    if not case.has_consented:
        return Obstacle.NO_CONSENT
    if case.is_stopped:
        return Obstacle.STOPPED
    return Obstacle.FULL if free_place(case.taken) is None else None


def free_place(taken: Collection[int]) -> int | None:
    """Return the first free place of those who look, or ``None``."""
    return next((place for place in range(1, PLACES + 1) if place not in taken), None)


class Meter:
    """The bytes that one recorder may send. What is beyond is dropped, up to the next snapshot."""

    def __init__(self, now: float) -> None:
        self._credit = float(BURST_BYTES)
        self._at = now
        # Nothing can be shown before the first snapshot.
        self.is_dropping = True

    def admits(self, size: int, *, is_start: bool, now: float) -> bool:
        """Return whether a frame may pass, and count it."""
        size = max(size, FRAME_BYTES)
        earned = max(now - self._at, 0.0) * BYTES_PER_SECOND
        self._credit = min(self._credit + earned, float(BURST_BYTES))
        self._at = now
        if self.is_dropping and not is_start:
            return False
        self.is_dropping = self._credit < size
        if self.is_dropping:
            return False
        self._credit -= size
        return True

    def seconds_until(self, size: int) -> float:
        """Return how long to wait until ``size`` bytes may pass."""
        return max(size - self._credit, 0.0) / BYTES_PER_SECOND


class Window:
    """The bytes that are under way to one viewer. What is beyond is dropped, up to the next
    snapshot, which is requested once the viewer has caught up."""

    def __init__(self) -> None:
        self.under_way = 0
        self.is_dropping = True
        self._has_asked = True

    def admits(self, size: int, *, is_start: bool) -> bool:
        """Return whether a frame may pass, and count it."""
        if self.is_dropping and not is_start:
            return False
        # A snapshot may be larger than the window: it passes if little else is under way.
        is_full = self.under_way + size > WINDOW_BYTES
        if is_full and (not is_start or self.under_way > WINDOW_BYTES // 4):
            self.is_dropping, self._has_asked = True, False
            return False
        self.is_dropping = False
        self.under_way += size
        return True

    def received(self, size: int) -> bool:
        """The viewer has received ``size`` bytes. Return whether to request a snapshot now."""
        self.under_way = max(self.under_way - max(size, 0), 0)
        if self.is_dropping and not self._has_asked and self.under_way <= WINDOW_BYTES // 4:
            self._has_asked = True
            return True
        return False
