"""The website's colour, and the text colour that is readable on it."""

from __future__ import annotations

PAGE = {"light": "#ffffff", "dark": "#15171b"}
"""The backgrounds behind the Messenger's colour (static/messenger/messenger.css)."""


def text_on(colour: str) -> str:
    """Return black or white, which contrasts more with ``#rrggbb`` (4.5:1 or more, WCAG 2.2)."""
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, colour))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    return sum(
        weight * _linear(int(colour[start : start + 2], 16) / 255)
        for weight, start in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
    )


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
