"""The words of a text as they are looked for: without case and accents, in every language alike.

The database folds what is stored by the same rules (``causerie_words``, in the migrations), once,
when it is written; indexes stand on that function (docs/adr/0021).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func

LIMIT = 12  # words of a search; more would only be slower
ACCENTS = re.compile("[\u0300-\u036f]")
LIGATURES = {"œ": "oe", "æ": "ae"}
PLURAL = re.compile(r"(?<=\w{4})[sx]$")
AROUND = 70  # characters shown before what was found
SHOWN = 220


class Words(Func):
    """The searchable words of a text column; the expression of the indexes, so that they serve."""

    function = "causerie_words"
    output_field = SearchVectorField()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it is what was looked for."""

    text: str
    is_found: bool


def fold(text: str) -> str:
    """As the database folds: decomposed, without accents, lower case."""
    plain = ACCENTS.sub("", unicodedata.normalize("NFKD", text)).lower()
    return "".join(LIGATURES.get(character, character) for character in plain)


def sought(text: str) -> list[str]:
    """The words of a search, folded, at most ``LIMIT`` of them. A plural finds its singular, since
    each word is looked for as the beginning of one."""
    words = (PLURAL.sub("", word) for word in fold(text.replace("\x00", " ")).split())
    return [word for word in dict.fromkeys(words) if re.search(r"\w", word)][:LIMIT]


def as_tsquery(words: Sequence[str]) -> str:
    """For ``to_tsquery``: all of them, each as the beginning of a word. Quoted, so that nothing in
    them is an operator."""
    quoted = (word.replace("\\", "\\\\").replace("'", "''") for word in words)
    return " & ".join(f"'{word}':*" for word in quoted)


def cut(text: str, words: Sequence[str]) -> list[Piece]:
    """The part of ``text`` around the first of ``words``, in pieces; their texts are the text's
    own, markup included, and are escaped where they are shown."""
    folded, origin = _folded(text)
    starts = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    found = list(re.finditer(rf"(?<!\w)(?:{starts})\w*", folded)) if starts else []
    first = origin[found[0].start()] if found else 0
    begin = 0 if first <= AROUND else _word_start(text, first - AROUND)
    end = min(len(text), begin + SHOWN)
    pieces, at = [Piece("… ", False)] if begin else [], begin
    for match in found:
        start, stop = origin[match.start()], origin[match.end()]
        if start < at or stop > end:
            continue
        pieces += [Piece(text[at:start], False), Piece(text[start:stop], True)]
        at = stop
    pieces += [Piece(text[at:end], False), Piece(" …" if end < len(text) else "", False)]
    return [piece for piece in pieces if piece.text]


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters (and for its end) where it comes from."""
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for one in fold(character):
            folded.append(one)
            origin.append(index)
    return "".join(folded), [*origin, len(text)]


def _word_start(text: str, index: int) -> int:
    """The first beginning of a word from ``index`` on, if one is near."""
    gap = re.compile(r"\s+").search(text, index, index + 25)
    return gap.end() if gap else index
