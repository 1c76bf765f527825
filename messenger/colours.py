"""The website's colour, and what can be read on it."""

from __future__ import annotations

PAGE = {"light": "#ffffff", "dark": "#15171b"}
"""What the Messenger's colour stands on (static/messenger/messenger.css)."""


def text_on(colour: str) -> str:
    """Black or white, whichever contrasts more with ``#rrggbb`` (WCAG 2.2: 4.5:1 or more)."""
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, colour))


def contrast(one: str, other: str) -> float:
    """How far two colours stand apart, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    return sum(
        weight * _linear(int(colour[start : start + 2], 16) / 255)
        for weight, start in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
    )


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
