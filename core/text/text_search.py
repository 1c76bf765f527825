"""Text search: the words of a text, however they are typed, in any language (C65).

Case, accents, ligatures and invisible characters make no difference. All characters but letters and
digits separate words. Codes ("AB-1234-Z", "06 12 34") also count as one word. Scripts without
spaces between words (Chinese, Japanese, Thai, ...) match on any part.

The database applies the same rules to stored texts with ``causerie_tokens`` (in
``core.text.text_search_sql``), once, on write; the indexes use it (docs/adr/0021).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.text.separators import SEPARATORS

LIMIT = 12  # words in a search; more would only be slower
LONGEST = 60  # significant characters of a word
AROUND = 70  # characters shown before the first match
SHOWN = 220  # characters of an excerpt

# Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel signs of Arabic, and all invisible
# characters. The vowel signs of Hindi or Thai count as letters.
MARKS = (
    r"\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    r"\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u180b-\u180e"
    r"\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\ufe00-\ufe0f"
    r"\ufe20-\ufe2f\ufeff\U000e0000-\U000e01ef"
)
# Letters that Unicode does not decompose, and how people type them who lack them on the keyboard.
ALIKE_FROM = "øłđðħıŧŋςٱىةکی" + "٠١٢٣٤٥٦٧٨٩" + "۰۱۲۳۴۵۶۷۸۹" + "०१२३४५६७८९" + "๐๑๒๓๔๕๖๗๘๙"
ALIKE_TO = "olddhitnσايهكي" + "0123456789" * 4
LIGATURES = {"œ": "oe", "æ": "ae", "ß": "ss", "þ": "th"}
# Thai, Lao, Burmese, Khmer, the kana and the characters of China, Japan and Korea.
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\U00020000-\U0003ffff"
)
CODE = (
    r"(?=[a-z._\u2010-\u2015-]*[0-9])[a-z0-9]+(?:[._\u2010-\u2015-][a-z0-9]+)+"
    r"|[0-9]+(?: [0-9]+)+"
)

_marks = re.compile(f"[{MARKS}]")
_separators = re.compile(f"[\0{SEPARATORS}]+")
_unspaced = re.compile(f"[{UNSPACED}]+")
_code = re.compile(CODE)
_alike = str.maketrans(dict(zip(ALIKE_FROM, ALIKE_TO, strict=True)) | LIGATURES)
_plural = re.compile(r"(?<=\w{4})[sx]$")
# "l'adresse" searches for "adresse", "John's" for "John".
_elided = re.compile(
    r"\b(?:[a-z]|[a-z]?qu|jusqu|lors?qu|puisqu)['’ʼ＇](?=\w)|(?<=\w)['’ʼ＇][a-z]\b"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a search: all of ``words`` as prefixes, or the prefix ``whole`` instead. ``shown``
    are further words to highlight in a text."""

    words: tuple[str, ...]
    whole: str = ""
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it matches the search."""

    text: str
    is_found: bool


def fold(text: str) -> str:
    """Return ``text`` in lower case, without accents and ligatures; word separators stay."""
    if text.isascii():
        return text.lower()
    plain = _marks.sub("", unicodedata.normalize("NFKD", text))
    # Composed again, because NFKD takes Korean syllables apart.
    return unicodedata.normalize("NFC", plain).lower().translate(_alike)


def spaced(text: str) -> str:
    """Return the folded words of ``text``, separated by single spaces."""
    return _separators.sub(" ", fold(text)).strip()


def tokens(text: str) -> set[str]:
    """Return the searchable words of ``text``, as ``causerie_tokens`` stores them."""
    folded = fold(text)
    words_found = {word for words in map(_parts, spaced(text).split()) for word in words}
    words_found |= {_joined(code.group()) for code in _code.finditer(folded)}
    return {word[:LONGEST] for word in words_found}


def _parts(word: str) -> Iterator[str]:
    """Split a word: in scripts without spaces into each pair of characters, and the last alone."""
    at = 0
    for run in _unspaced.finditer(word):
        if word[at : run.start()]:
            yield word[at : run.start()]
        yield from (word[i : min(i + 2, run.end())] for i in range(run.start(), run.end()))
        at = run.end()
    if word[at:]:
        yield word[at:]


def _joined(code: str) -> str:
    return re.sub("[^a-z0-9]", "", code)


def sought(text: str) -> list[Term]:
    """Return the terms of a search, at most ``LIMIT`` words. A plural matches its singular, since
    every word is a prefix."""
    folded = fold(text)
    plain = _elided.sub(" ", folded)
    # A search for "l'" alone would otherwise be a search for nothing.
    if not _separators.sub("", plain):
        plain = folded
    terms: dict[Term, None] = {}
    at = 0
    for code in _code.finditer(plain):
        terms |= dict.fromkeys(_terms(plain[at : code.start()]))
        words = tuple(word for one in _terms(code.group()) for word in one.words)
        terms[Term(words, _joined(code.group())[:LONGEST])] = None
        at = code.end()
    terms |= dict.fromkeys(_terms(plain[at:]))
    return _bounded(terms)


def _terms(folded: str) -> Iterator[Term]:
    for word in _separators.sub(" ", folded).split():
        parts = tuple(_parts(word))
        if len(parts) == 1:
            yield Term((_plural.sub("", word[:LONGEST]),))
            continue
        # The last character alone adds nothing to the pairs.
        asked = [p for p in parts if len(p) != 1 or not _unspaced.match(p) or p != word[-1]]
        yield Term(tuple(part[:LONGEST] for part in asked or parts), shown=(word,))


def _bounded(terms: Iterable[Term]) -> list[Term]:
    bounded: list[Term] = []
    left = LIMIT
    for term in terms:
        words = term.words[:left]
        if words:
            bounded.append(Term(words, term.whole, term.shown))
            left -= len(words)
    return bounded


def as_tsquery(terms: Sequence[Term]) -> str:
    """Return a ``tsquery`` for all terms, each word as a prefix. Words contain only letters and
    digits, so none is an operator."""
    asked = []
    for term in terms:
        words = " & ".join(f"'{word}':*" for word in term.words)
        asked.append(f"({words} | '{term.whole}':*)" if term.whole else words)
    return " & ".join(asked)


def cut(text: str, terms: Sequence[Term]) -> list[Piece]:
    """Return the part of ``text`` around the first match of ``terms``, in pieces. Their text is not
    escaped."""
    folded, origin = _folded(text)
    matches = list(_meant(terms).finditer(folded)) if terms else []
    first = origin[matches[0].start()] if matches else 0
    begin = 0 if first <= AROUND else _word_start(text, first - AROUND)
    end = min(len(text), begin + SHOWN)
    pieces, at = [Piece("… ", False)] if begin else [], begin
    for match in matches:
        start, stop = origin[match.start()], origin[match.end()]
        if start < at or stop > end:
            continue
        pieces += [Piece(text[at:start], False), Piece(text[start:stop], True)]
        at = stop
    pieces += [Piece(text[at:end], False), Piece(" …" if end < len(text) else "", False)]
    return [piece for piece in pieces if piece.text]


def _meant(terms: Sequence[Term]) -> re.Pattern[str]:
    """Return a pattern that matches ``terms`` in a folded text: at the start of a word, or anywhere
    in scripts without spaces."""
    asked = {word for term in terms for word in (*term.shown, *term.words, term.whole) if word}
    longest = sorted(asked, key=len, reverse=True)
    anywhere = [re.escape(word) for word in longest if _unspaced.match(word)]
    starts = [re.escape(word) for word in longest if not _unspaced.match(word)]
    patterns = ["|".join(anywhere)] if anywhere else []
    patterns += [rf"(?<![^\W_])(?:{'|'.join(starts)})[^\W_]*"] if starts else []
    return re.compile("|".join(patterns))


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and for each of its characters and its end the index in ``text``."""
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for one in fold(character):
            folded.append(one)
            origin.append(index)
    return "".join(folded), [*origin, len(text)]


def _word_start(text: str, index: int) -> int:
    """Return the start of the next word within 25 characters of ``index``, else ``index``."""
    gap = re.compile(r"\s+").search(text, index, index + 25)
    return gap.end() if gap else index
