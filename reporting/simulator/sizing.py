"""How many places a website's queues should have, as arithmetic on plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def places_for(agents: float, per_hour: float, off_peak_hours: float) -> int:
    """Return what a team can handle in its quiet hours: agents x conversations per agent and hour x
    off-peak hours (R213); 5 x 10 x 3 is 150 (R214)."""
    exact = Fraction(str(agents)) * Fraction(str(per_hour)) * Fraction(str(off_peak_hours))
    return int(exact + Fraction(1, 2))


def to_start_with(places: int) -> int:
    """Return half of it, rounded up; more are added once the team has shown its pace (R215)."""
    return -(-places // 2)


def shared(places: int, weights: Sequence[float]) -> list[int]:
    """Split ``places`` among the queues by their weights (R214); evenly if all weights are 0.

    The parts are whole numbers that add up: the largest remainders get what rounding left over. If
    there are enough, every queue gets at least one place: 0 would make it a live queue (R42).
    """
    if not weights:
        return []
    if not any(weights):
        weights = [1] * len(weights)
    least = 1 if places >= len(weights) else 0
    spread = places - least * len(weights)
    total = sum(Fraction(weight) for weight in weights)
    exact = [Fraction(weight) * spread / total for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_remainder[: spread - sum(parts)]:
        parts[index] += 1
    return [part + least for part in parts]


def off_peak_hours(arrivals: Sequence[float], capacity: Sequence[float]) -> int:
    """Count the quiet hours of the day: agents work, and fewer conversations arrive than they can
    handle.

    ``arrivals`` and ``capacity`` are means by hour of the day, in conversations.
    """
    return sum(able > come for come, able in zip(arrivals, capacity, strict=True))
