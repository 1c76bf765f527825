"""Checking that an answer says only what its sources say: pure functions.

The model must end each sentence with the numbers of the passages that it is from, ``[1]`` or
``[1][2]``. A number proves nothing by itself. So a sentence must also share its words with the
passages that it names, and each figure and each address in it must be in one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.text.text_search import fold

LONGEST_ANSWER = 1500
MOST_SENTENCES = 8
SHARED = 0.5  # The part of a sentence's longer words that its passages must contain.
LONG = 4  # Letters of a word that says something.
STEM = 5  # Letters that two forms of a word share.

MARKS = re.compile(r"(?:\s*\[\d{1,3}\])+")
NUMBER = re.compile(r"\[(\d{1,3})\]")
SENTENCE_END = re.compile(r"(?<=[.!?…])[\s\u00a0]+(?=[^\W\d_a-zà-ÿ]|\d|[«“\"(])")
WORDS = re.compile(r"[^\W\d_]+")
FIGURES = re.compile(r"\d+(?:[.,:]\d+)*")
ADDRESSES = re.compile(r"(?:https?://|www\.)\S+|[^\s@]+@[^\s@]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without its marks, and the numbers of its sources, from 1 on."""

    text: str
    sources: tuple[int, ...]


def check(answer: str, passages: Sequence[str]) -> tuple[Sentence, ...] | None:
    """Return the sentences of an answer, or ``None`` unless every one is proven by ``passages``."""
    answer = answer.strip()
    if not answer or len(answer) > LONGEST_ANSWER:
        return None
    sentences = _sentences(answer)
    if not sentences or len(sentences) > MOST_SENTENCES:
        return None
    if any(not _is_proven(sentence, passages) for sentence in sentences):
        return None
    return tuple(sentences)


def _sentences(answer: str) -> list[Sentence]:
    """Split after each group of marks. Text after the last one has no source."""
    found, begin = [], 0
    for match in MARKS.finditer(answer):
        text = answer[begin : match.start()].strip().lstrip(".!?…").strip()
        end = match.end()
        numbers = tuple(dict.fromkeys(int(number) for number in NUMBER.findall(match[0])))
        found += [Sentence(text, numbers)] if text else [Sentence("", numbers)]
        begin = end
    rest = answer[begin:].strip().lstrip(".!?…").strip()
    return [*found, Sentence(rest, ())] if rest else found


def _is_proven(sentence: Sentence, passages: Sequence[str]) -> bool:
    text, sources = sentence.text, sentence.sources
    if not text or not sources or not all(1 <= number <= len(passages) for number in sources):
        return False
    # One mark for several sentences leaves open which of them it is about.
    if "\n" in text or SENTENCE_END.search(text):
        return False
    cited = "\n".join(passages[number - 1] for number in sources)
    if any(address.rstrip(".,;:!?)") not in cited for address in ADDRESSES.findall(text)):
        return False
    known = set(FIGURES.findall(cited))
    if any(figure not in known for figure in FIGURES.findall(text)):
        return False
    said, stems = _stems(text), _stems(cited)
    return bool(said) and len(said & stems) >= SHARED * len(said)


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in WORDS.findall(fold(text)) if len(word) >= LONG}
