"""The website's colour, and what can be read on it."""

from __future__ import annotations


def text_on(colour: str) -> str:
    """Black or white, whichever contrasts more with ``#rrggbb`` (WCAG 2.2: 4.5:1 or more)."""
    luminance = sum(
        weight * _linear(int(colour[start : start + 2], 16) / 255)
        for weight, start in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
    )
    on_white = 1.05 / (luminance + 0.05)
    on_black = (luminance + 0.05) / 0.05
    return "#ffffff" if on_white >= on_black else "#000000"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
