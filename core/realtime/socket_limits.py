"""How much one socket may send, and how many sockets one visitor or address may hold open."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

FRAMES, FRAME_SECONDS = 100, 10.0  # people type; programs flood


@dataclass(slots=True)
class FrameBudget:
    """At most ``FRAMES`` frames in ``FRAME_SECONDS``."""

    _times: deque[float] = field(default_factory=lambda: deque(maxlen=FRAMES))

    def admits(self, now: float) -> bool:
        """Count a frame at ``now``, in seconds of any clock."""
        is_full = len(self._times) == FRAMES and now - self._times[0] < FRAME_SECONDS
        if not is_full:
            self._times.append(now)
        return not is_full


@dataclass(slots=True)
class OpenSockets:
    """The open sockets of this process, by whom they belong to.

    It is per process, not for the whole installation: it bounds the memory of a process, and needs
    no round trip. ``limits`` maps the kind of a holder to the number of its sockets.
    """

    limits: dict[str, int]
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)

    def enter(self, **holders: str) -> bool:
        """Count a socket of these holders, or return false if one of them holds too many. A holder
        "" is nobody."""
        named = [(kind, holder) for kind, holder in holders.items() if holder]
        if any(self._open[one] >= self.limits[one[0]] for one in named):
            return False
        self._open.update(named)
        return True

    def leave(self, **holders: str) -> None:
        for one in holders.items():
            self._open[one] -= 1
            if self._open[one] <= 0:
                del self._open[one]
