"""Ranking of canned replies by what an agent has typed: pure functions of plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.text.text_search import spaced

MOST = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """The searchable fields of a reply; ``words`` is ``spaced`` of all its text."""

    pk: int
    name: str
    shortcut: str
    folder: str
    language: str
    words: str
    uses: int


def rank(candidates: Iterable[Candidate], query: str, language: str) -> list[int]:
    """Return the primary keys of the replies that contain every word of ``query``, best first: by
    the kind of match, then the visitor's language, then the number of uses."""
    asked = spaced(query)
    matches = [one for one in candidates if all(word in one.words for word in asked.split())]
    matches.sort(
        key=lambda one: (
            _match(one, asked),
            _language(one.language, language),
            -one.uses,
            one.name,
            one.pk,
        )
    )
    return [one.pk for one in matches[:MOST]]


def _match(one: Candidate, asked: str) -> int:
    shortcut, name = spaced(one.shortcut), spaced(one.name)
    if not asked or (shortcut and shortcut == asked):
        return 0
    if shortcut.startswith(asked):
        return 1
    if name.startswith(asked):
        return 2
    words = f"{name} {spaced(one.folder)}".split()
    if all(any(word.startswith(part) for word in words) for part in asked.split()):
        return 3
    return 4


def _language(own: str, visitors: str) -> int:
    """Return 0 for the visitor's language or none, 1 for another."""
    base = own.split("-")[0]
    return int(bool(base) and base != visitors.split("-")[0].lower())
