"""Variables in texts that are said often: pure functions, and one pass, so that what a visitor is
called can never be read as a variable itself (N21).

``{visitor_name}`` becomes the visitor's name. ``{visitor_name|dear customer}`` says what stands
there where the name is not known; without that, the gap closes as a writer would close it.
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
# A place that stays empty takes the space before it along; at the start of a line what follows it.
GAP = "\x00"
LEADING_GAP = re.compile(rf"(^|\n)[ \t]*{GAP}[ \t\u00a0\u202f]*[,;:]?[ \t]*(\w?)")
OTHER_GAP = re.compile(rf"[ \t\u00a0\u202f]?{GAP}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text to send; ``missing`` names the variables that left a gap, each once."""

    text: str
    missing: tuple[str, ...]


def unknown(text: str) -> list[str]:
    """What looks like a variable and is none."""
    names = (found.group(1) for found in PLACE.finditer(text))
    return list(dict.fromkeys(name for name in names if name not in NAMES))


def fill(text: str, values: Mapping[str, str]) -> Filled:
    """``text`` as it is said; an empty value is a missing one."""
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

    said = PLACE.sub(value, text.replace(GAP, ""))
    said = LEADING_GAP.sub(lambda gap: gap.group(1) + gap.group(2).upper(), said)
    return Filled(OTHER_GAP.sub("", said), tuple(missing))
