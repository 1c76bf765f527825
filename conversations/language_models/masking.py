"""Masking of personal data before a text leaves the installation: pure functions.

A placeholder such as ``[EMAIL_1]`` stands for each piece, the same one for the same piece, so that
a model can write about it, and ``Masking.restore`` can put it back into what was written. It is
strict: an order's number is masked too, if it has the length of a telephone number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.text.text_search import fold

EMAIL = re.compile(r"[^\s@<>\"'(),;:\[\]]+@[\w-]+(?:\.[\w-]+)*")
IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ \u00a0\u202f-]?[A-Za-z0-9]){11,30}\b")
# Digits with what people write between them. From 12 digits on it may be a card's.
DIGITS = re.compile(r"(?<![\w])\+?\(?\d(?:[\s.\-/()\u00a0\u202f\u2011]*\d){6,}(?!\w)")
CARD_DIGITS = 12
PLACEHOLDER = re.compile(r"\[(EMAIL|IBAN|CARD|PHONE|NAME)_(\d+)\]")
WORD = re.compile(r"[^\W\d_]+")
SHORTEST_NAME = 2


@dataclass(slots=True)
class Masking:
    """The placeholders of one call. ``names`` are those known from the conversation; each of their
    words is masked, whatever its accents and capitals."""

    names: Iterable[str] = ()
    replaced: dict[str, str] = field(default_factory=dict)  # placeholder -> what it stands for
    _placeholders: dict[tuple[str, str], str] = field(default_factory=dict)
    _words: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        words = (fold(word) for name in self.names for word in WORD.findall(name))
        self._words = frozenset(word for word in words if len(word) >= SHORTEST_NAME)

    def mask(self, text: str) -> str:
        """Return ``text`` with placeholders instead of personal data."""
        # What looks like a placeholder and is none would be "restored" to somebody's data.
        text = PLACEHOLDER.sub(lambda match: f"({match[1]} {match[2]})", text)
        text = EMAIL.sub(lambda match: self._stand_in("EMAIL", match[0]), text)
        # Before the numbers, since an IBAN contains what looks like one.
        text = IBAN.sub(self._iban, text)
        text = DIGITS.sub(self._number, text)
        return WORD.sub(self._name, text) if self._words else text

    def restore(self, text: str) -> str:
        """Return ``text`` with what the placeholders stand for; unknown ones stay as they are."""
        return PLACEHOLDER.sub(lambda match: self.replaced.get(match[0], match[0]), text)

    def _stand_in(self, kind: str, piece: str) -> str:
        known = self._placeholders.get((kind, piece))
        if known is None:
            number = sum(1 for one, _piece in self._placeholders if one == kind) + 1
            known = self._placeholders[kind, piece] = f"[{kind}_{number}]"
            self.replaced[known] = piece
        return known

    def _iban(self, match: re.Match[str]) -> str:
        """Mask what begins like an IBAN, unless it is words: at least a third are digits."""
        piece = match[0]
        digits = sum(one.isdigit() for one in piece)
        return self._stand_in("IBAN", piece) if digits * 3 >= len(piece) else piece

    def _number(self, match: re.Match[str]) -> str:
        count = sum(one.isdigit() for one in match[0])
        return self._stand_in("CARD" if count >= CARD_DIGITS else "PHONE", match[0])

    def _name(self, match: re.Match[str]) -> str:
        if match.start() and match.string[match.start() - 1] == "[":
            return match[0]  # a placeholder's own word
        return self._stand_in("NAME", match[0]) if fold(match[0]) in self._words else match[0]
