"""The kinds of inboxes: their names, icons and limits, for rooms that know no connector.

``config/wiring.py`` registers the connectors here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider accepts. ``text`` counts characters, ``file_bytes`` bytes, 0 for no files.
    ``file_types`` has the content types that it takes, each with its bytes; empty for any.
    ``reply_window`` is for how long after a person's last message one may write to them."""

    text: int = 4000
    file_bytes: int = 0
    file_types: Mapping[str, int] = field(default_factory=dict)
    reply_window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of inbox; ``label`` is the channel's name and ``icon`` one of the sprite."""

    name: str
    label: Any
    icon: str = "messages-square"
    limits: Limits = Limits()


_registered: dict[str, Kind] = {}


def register(kinds: Iterable[Kind]) -> None:
    """Register all kinds, replacing earlier ones."""
    _registered.clear()
    _registered.update({kind.name: kind for kind in kinds})


def of(name: str) -> Kind:
    """Return the kind of this name. One that is no longer installed is shown by its name."""
    return _registered.get(name) or Kind(name, name)


def every() -> list[Kind]:
    return list(_registered.values())
