"""Filling names into texts and addresses: ``{order}`` becomes what the visitor answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from routing.bots.plays import Facts

NAME = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")


def fill(text: str, values: Mapping[str, str], facts: Facts, *, is_url: bool = False) -> str:
    """Return ``text`` with each ``{name}`` replaced by its value, or by nothing. What is put in is
    not searched for names again; in an address it is escaped and cannot change another part."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        known = str(values.get(name, facts.data.get(name, facts.visitor.get(name, ""))))
        return quote(known, safe="") if is_url else known

    return NAME.sub(value, text)
