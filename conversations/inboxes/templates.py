"""Templates of a channel: texts that its provider has approved, with places to fill in.

A provider may deliver nothing else once a person has been silent for longer than
``Limits.reply_window``. The list is copied from the provider to ``Inbox.templates``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from conversations.models import Inbox

PLACE = re.compile(r"\{\{\s*([a-z0-9_]{1,60})\s*\}\}")


@dataclass(frozen=True, slots=True)
class ApprovedTemplate:
    """A template in one language; ``text`` has places such as {{1}} or {{order}}."""

    name: str
    language: str
    text: str
    buttons: tuple[str, ...] = ()

    @property
    def places(self) -> list[str]:
        return places_of(self.text)

    @property
    def key(self) -> str:
        return f"{self.name}/{self.language}"

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text as the person reads it."""
        return PLACE.sub(lambda place: values[place[1]], self.text)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def places_of(text: str) -> list[str]:
    """Return the names of the places of a text, each once, in their order."""
    return list(dict.fromkeys(PLACE.findall(text)))


def of(inbox: Inbox) -> list[ApprovedTemplate]:
    """Return the stored templates of an inbox."""
    return [
        ApprovedTemplate(**{**row, "buttons": tuple(row["buttons"])}) for row in inbox.templates
    ]


def find(inbox: Inbox, key: str) -> ApprovedTemplate | None:
    return next((one for one in of(inbox) if one.key == key), None)
