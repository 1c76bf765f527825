"""The words of a text as they are searched for: however they are typed, in any language (C65).

Case, accents, ligatures and invisible characters make no difference, and whatever is not a letter
or a digit separates words. Codes ("AB-1234-Z", "06 12 34") are words in one piece as well. Scripts
that put no spaces between words (Chinese, Japanese, Thai, ...) are found by any part.

The database does the same with what is stored (``causerie_tokens``, whose text is in
``core.text.text_search_sql``), once, when it is written; indexes stand on it (docs/adr/0021).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.text.separators import SEPARATORS

LIMIT = 12  # words of a search; more would only be slower
LONGEST = 60  # characters of a word that are looked at
AROUND = 70  # characters shown before what was found
SHOWN = 220

# Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel signs of Arabic, and all that is
# invisible. The vowel signs of Hindi or Thai are letters like others.
MARKS = (
    r"\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    r"\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u180b-\u180e"
    r"\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\ufe00-\ufe0f"
    r"\ufe20-\ufe2f\ufeff\U000e0000-\U000e01ef"
)
# Letters that Unicode does not decompose, as people without them on their keyboard write them.
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
# "l'adresse" also asks for "adresse", "John's" for "John".
_elided = re.compile(
    r"\b(?:[a-z]|[a-z]?qu|jusqu|lors?qu|puisqu)['’ʼ＇](?=\w)|(?<=\w)['’ʼ＇][a-z]\b"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a search: all of ``words``, each as the beginning of one, or ``whole`` instead;
    ``shown`` is what of a text was meant by it."""

    words: tuple[str, ...]
    whole: str = ""
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it is what was looked for."""

    text: str
    is_found: bool


def fold(text: str) -> str:
    """Return ``text`` without what makes no difference; what separates its words still does."""
    if text.isascii():
        return text.lower()
    plain = _marks.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", plain).lower().translate(_alike)


def spaced(text: str) -> str:
    """Return the folded words of ``text``, with one space between them."""
    return _separators.sub(" ", fold(text)).strip()


def tokens(text: str) -> set[str]:
    """Return all words by which ``text`` is found, as ``causerie_tokens`` stores them."""
    folded = fold(text)
    found = {word for words in map(_parts, spaced(text).split()) for word in words}
    found |= {_joined(code.group()) for code in _code.finditer(folded)}
    return {word[:LONGEST] for word in found}


def _parts(word: str) -> Iterator[str]:
    """A word; of a script without spaces each pair of characters, and the last one alone."""
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
    """Return what a search asks for, at most ``LIMIT`` words. A plural finds its singular, since
    each word is looked for as the beginning of one."""
    folded = fold(text)
    plain = _elided.sub(" ", folded)
    if not _separators.sub("", plain):
        plain = folded
    found: dict[Term, None] = {}
    at = 0
    for code in _code.finditer(plain):
        found |= dict.fromkeys(_terms(plain[at : code.start()]))
        words = tuple(word for one in _terms(code.group()) for word in one.words)
        found[Term(words, _joined(code.group())[:LONGEST])] = None
        at = code.end()
    found |= dict.fromkeys(_terms(plain[at:]))
    return _bounded(found)


def _terms(folded: str) -> Iterator[Term]:
    for word in _separators.sub(" ", folded).split():
        parts = tuple(_parts(word))
        if len(parts) == 1:
            yield Term((_plural.sub("", word[:LONGEST]),))
            continue
        # Of a run of such characters, the last one alone asks for nothing more.
        asked = [p for p in parts if len(p) != 1 or not _unspaced.match(p) or p != word[-1]]
        yield Term(tuple(part[:LONGEST] for part in asked or parts), shown=(word,))


def _bounded(terms: Iterable[Term]) -> list[Term]:
    found: list[Term] = []
    left = LIMIT
    for term in terms:
        words = term.words[:left]
        if words:
            found.append(Term(words, term.whole, term.shown))
            left -= len(words)
    return found


def as_tsquery(terms: Sequence[Term]) -> str:
    """Return a ``tsquery``: all terms, each word as the beginning of one. Words hold nothing but
    letters and digits, so nothing in them is an operator."""
    asked = []
    for term in terms:
        words = " & ".join(f"'{word}':*" for word in term.words)
        asked.append(f"({words} | '{term.whole}':*)" if term.whole else words)
    return " & ".join(asked)


def cut(text: str, terms: Sequence[Term]) -> list[Piece]:
    """Return the part of ``text`` around the first of ``terms``, in pieces; their texts are the
    text's own, markup included, and are escaped where they are shown."""
    folded, origin = _folded(text)
    found = list(_meant(terms).finditer(folded)) if terms else []
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


def _meant(terms: Sequence[Term]) -> re.Pattern[str]:
    """What of a folded text was asked for: words from their beginning, others wherever they are."""
    asked = {word for term in terms for word in (*term.shown, *term.words, term.whole) if word}
    longest = sorted(asked, key=len, reverse=True)
    anywhere = [re.escape(word) for word in longest if _unspaced.match(word)]
    starts = [re.escape(word) for word in longest if not _unspaced.match(word)]
    patterns = ["|".join(anywhere)] if anywhere else []
    patterns += [rf"(?<![^\W_])(?:{'|'.join(starts)})[^\W_]*"] if starts else []
    return re.compile("|".join(patterns))


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
