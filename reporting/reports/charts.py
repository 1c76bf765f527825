"""Charts as plain data, which a template draws as SVG on a canvas of 1000 by 100.

Pure. The canvas is stretched to the available room; labels stand beside it as HTML, so that they
are never stretched. An unknown value leaves a gap, not a zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reporting.figures.measures import Number

WIDTH, HEIGHT = 1000.0, 100.0
GAP = 0.18
"""The share of a bar's place that stays empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """``line`` and ``before`` are SVG paths; ``places`` has the x and width of each point's
    share."""

    low: float
    high: float
    line: str
    before: str
    bars: tuple[Bar, ...]
    places: tuple[tuple[float, float], ...]
    zero: float


def draw(
    values: Sequence[Number],
    before: Sequence[Number],
    *,
    as_bars: bool,
    bounds: tuple[float, float] | None = None,
) -> Chart:
    """Draw ``values`` as bars or a line, ``before`` as a line behind them. ``bounds`` sets the ends
    of the scale (per cent); otherwise they are computed."""
    known = [float(value) for value in [*values, *before] if value is not None]
    low, high = bounds or (0.0, nice(max(known, default=0.0)))
    width = WIDTH / max(len(values), 1)

    def y(value: float) -> float:
        return round(HEIGHT - (value - low) / (high - low) * HEIGHT, 2)

    def path(points: Sequence[Number]) -> str:
        steps, is_drawing = [], False
        for number, value in enumerate(points[: len(values)]):
            if value is None:
                is_drawing = False
                continue
            x = round((number + 0.5) * width, 2)
            steps.append(f"{'L' if is_drawing else 'M'}{x} {y(float(value))}")
            if not is_drawing:
                steps.append("h0.01")  # draws a point between two gaps as a dot
            is_drawing = True
        return "".join(steps)

    bars = tuple(
        Bar(
            x=round((number + GAP / 2) * width, 2),
            y=y(float(value)),
            width=round((1 - GAP) * width, 2),
            height=round(y(0) - y(float(value)), 2),
        )
        for number, value in enumerate(values)
        if as_bars and value
    )
    return Chart(
        low=low,
        high=high,
        line="" if as_bars else path(values),
        before=path(before),
        bars=bars,
        places=tuple((round(n * width, 2), round(width, 2)) for n in range(len(values))),
        zero=y(0),
    )


def nice(value: float) -> float:
    """Return the end of a scale: the next of 1, 2, 3, 4, 5, 6, 8, 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        step * power for step in (1, 2, 3, 4, 5, 6, 8, 10, 20) if step * power >= value * 0.9999
    )


def nice_time(seconds: float) -> float:
    """The same for seconds: whole minutes, hours or days."""
    for unit in (86400.0, 3600.0, 60.0):
        if seconds > unit:
            return nice(seconds / unit) * unit
    return 60.0


def level(value: Number, highest: float) -> int:
    """Return how dark a heat map's cell is, from 0 (unknown) to 5."""
    if value is None or highest <= 0:
        return 0
    return min(5, 1 + int(4.999 * float(value) / highest))
