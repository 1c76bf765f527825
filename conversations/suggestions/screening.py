"""Screening of answers for personal data before they are suggested to others: pure functions.

It is deliberately strict: an answer that is not suggested costs nothing, but a name shown to a
stranger cannot be taken back. An answer is safe only if nothing in it can be about one person:

- no e-mail address, no web address with a query or a number;
- no digits (so no telephone number, street, order, code or sum), except durations, percentages and
  times of day ("48 heures", "20 %", "18:30");
- no greeting by name, and no known name (of the visitor or the agent);
- no capitalized word inside a sentence, unless it is the website's own, since it may be a name. In
  languages that capitalize all nouns (German) hardly any past answer is safe.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core.text.text_search import fold, spaced

QUESTION_LIMIT = 500
ANSWER_LIMITS = (20, 1000)
PAIRS_LIMIT = 5

MAIL = re.compile(r"[^\s@]+@[^\s@]+")
WEB = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
TRACKED = re.compile(r"[?#&=]|\d{3}")
UNITS = (
    r"%|h|min|mn|heures?|hours?|minutes?|jours?|days?|semaines?|weeks?|mois|months?|ans?|années?"
    r"|years?|business|working|ouvr[ée]s|ouvrables"
)
HARMLESS = re.compile(
    rf"\b\d{{1,2}}\s?[h:]\s?[0-5]\d\b|\b\d{{1,3}}(?:\s?(?:à|to|-|–|ou|or)\s?\d{{1,3}})?\s?(?:{UNITS})(?!\w)",
    re.IGNORECASE,
)
GREETING = re.compile(
    r"\b(?:bonjour|bonsoir|salut|cher|chère|hello|hi|hey|dear|monsieur|madame|mademoiselle|m\.|mme"
    r"|mr\.?|mrs\.?|ms\.?|merci|thanks|thank you)[ \t\u00a0]+([^\W\d_][\w'-]*)",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_][\w'’-]*")
SENTENCE_END = re.compile(r"[.!?:;…\n•–—(«\"]\W*$")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words after a greeting that are not names.
AFTER_GREETING = _set(
    "madame monsieur a et pour de d' du d'avance beaucoup bien encore infiniment vous votre nous"
    " there again and for in so very you your customer client cliente all everyone tous toutes"
    " par si je j'ai voici ici c'est"
)
# Words before a comma at the start of a sentence that are not names.
OPENERS = _set(
    "bonjour bonsoir hello merci thanks thank oui non yes certainly sure bien desole sorry"
    " absolument exactement effectivement parfait perfect great voila indeed unfortunately"
    " malheureusement actuellement currently entendu d'accord"
)
ALLOWED_CAPITALS = _set("i i'm i'll i've i'd i’m i’ll i’ve i’d madame monsieur")


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """A message: ``author`` as in ``Message``, ``is_plain`` if it is only text."""

    seq: int
    author: str
    body: str
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer, which starts with message ``seq``."""

    seq: int
    question: str
    answer: str


def pairs(lines: Iterable[PlainMessage]) -> list[Pair]:
    """Pair consecutive messages of the visitor with the agent's messages that follow; return the
    first few pairs."""
    complete: list[Pair] = []
    asked: list[str] = []
    answers: list[PlainMessage] = []
    # The last line, of no author, completes the last pair.
    for line in [*lines, PlainMessage(0, "end", "")]:
        if line.author == "agent" and asked:
            answers.append(line)
            continue
        if answers:
            if all(one.is_plain for one in answers):
                answer = "\n".join(one.body for one in answers)
                complete.append(Pair(answers[0].seq, "\n".join(asked), answer))
            asked, answers = [], []
        if line.author == "visitor":
            asked.append(line.body)
        elif line.author != "system":
            asked = []
    return complete[:PAIRS_LIMIT]


def is_safe(answer: str, *, names: Iterable[str], vocabulary: Collection[str]) -> bool:
    """Return whether an answer may be suggested in other conversations. ``names`` are those of the
    participants, ``vocabulary`` the website's own capitalized words, folded."""
    shortest, longest = ANSWER_LIMITS
    if not shortest <= len(answer) <= longest or MAIL.search(answer):
        return False
    if any(TRACKED.search(address.group()) for address in WEB.finditer(answer)):
        return False
    text = WEB.sub(" ", answer)
    if any(character.isdigit() for character in HARMLESS.sub(" ", text)):
        return False
    if any(fold(met.group(1)) not in AFTER_GREETING for met in GREETING.finditer(text)):
        return False
    known = {part for name in names for part in spaced(name).split() if len(part) > 1}
    words = set(spaced(text).split())
    return not known & words and not any(_strange_capitals(text, vocabulary))


def _strange_capitals(text: str, vocabulary: Collection[str]) -> Iterable[bool]:
    """Yield, for each capitalized word inside a sentence, whether it may be a name."""
    for match in WORD.finditer(text):
        word, behind = match.group(), text[match.end() : match.end() + 1]
        if word[0] == word[0].lower() or fold(word) in ALLOWED_CAPITALS:
            continue
        begins = match.start() == 0 or SENTENCE_END.search(text[: match.start()])
        is_called = behind in {",", "!"} and fold(word) not in OPENERS  # "Jeanne, your parcel"
        is_short = word.isupper() and len(word) <= 3  # TVA, CB, PDF
        if not (begins and not is_called) and not is_short:
            yield fold(word) not in vocabulary


def redact(question: str, *, names: Iterable[str] = ()) -> str:
    """Return a question without recognisable personal data, to compare it or send it to a
    provider."""
    text = WEB.sub(" ", MAIL.sub(" ", question))
    # In a text of capitals, a capital says nothing about names.
    is_shouted = text.isupper()
    known = {part for name in names for part in spaced(name).split() if len(part) > 1}
    words: list[str] = []
    for piece in text.split():
        if any(character.isdigit() for character in piece) or known & set(spaced(piece).split()):
            continue
        is_first = not words or words[-1][-1] in ".!?"
        if piece[0].isupper() and not is_first and not is_shouted:
            continue
        words.append(piece)
    return fold(" ".join(words))[:QUESTION_LIMIT]
