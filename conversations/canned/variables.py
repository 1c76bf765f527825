"""Variables in canned replies: pure functions, in one pass, so that a visitor's name is never
itself read as a variable (N21).

``{visitor_name}`` becomes the visitor's name. ``{visitor_name|dear customer}`` gives a default for
an unknown name; without a default, spaces and punctuation around the gap are tidied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NAMES = (
    "visitor_name",
    "agent_name",
    "group_name",
    "website_name",
    "conversation_number",
    "page",
)
PLACE = re.compile(r"\{[ \t]*([A-Za-z_]\w*)[ \t]*(?:\|([^{}\n]*))?\}")
# An empty variable also removes the space before it; at the start of a line, what follows it.
GAP = "\x00"
LEADING_GAP = re.compile(rf"(^|\n)[ \t]*{GAP}[ \t\u00a0\u202f]*[,;:]?[ \t]*(\w?)")
OTHER_GAP = re.compile(rf"[ \t\u00a0\u202f]?{GAP}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text to send; ``missing`` names the variables without a value, each once."""

    text: str
    missing: tuple[str, ...]


def unknown(text: str) -> list[str]:
    """Return names in the syntax of a variable that do not exist."""
    names = (place.group(1) for place in PLACE.finditer(text))
    return list(dict.fromkeys(name for name in names if name not in NAMES))


def fill(text: str, values: Mapping[str, str]) -> Filled:
    """Return ``text`` with its variables replaced. An empty value counts as missing."""
    missing: dict[str, None] = {}

    def value(place: re.Match[str]) -> str:
        name, instead = place.group(1), place.group(2)
        if name not in NAMES:
            return place.group(0)
        known = values.get(name, "").replace(GAP, "").strip()
        if known or (instead or "").strip():
            return known or str(instead).strip()
        missing[name] = None
        return GAP

    filled = PLACE.sub(value, text.replace(GAP, ""))
    # What follows the gap now begins the sentence.
    filled = LEADING_GAP.sub(lambda gap: gap.group(1) + gap.group(2).upper(), filled)
    return Filled(OTHER_GAP.sub("", filled), tuple(missing))
