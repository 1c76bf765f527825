"""The features of browsers that pages may use: microphone, camera and screen only for calls."""

from __future__ import annotations

_FEATURES = (
    "microphone",
    "camera",
    "display-capture",
    "picture-in-picture",
    "fullscreen",
    "screen-wake-lock",
    "autoplay",
)
_DEVICES = ("microphone", "camera", "display-capture")

ALLOW = "; ".join(_FEATURES)
"""The ``allow`` of the Messenger's iframe where its website has calls."""

FOR_CALLS = ", ".join(f"{name}=(self)" for name in _DEVICES)
"""The ``Permissions-Policy`` of pages with calls."""

WITHOUT_CALLS = ", ".join(f"{name}=()" for name in _DEVICES)
