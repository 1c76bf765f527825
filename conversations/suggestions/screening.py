"""What of an exchange may be said again to somebody else: pure functions of plain text.

Rather too strict: an answer that is not suggested costs nothing, a name that is shown to a stranger
cannot be taken back. An answer is safe only if nothing in it can be about one person:

- no e-mail, no web address with a query or a number;
- no figure (so no telephone, street, order, code or sum), but for lengths of time, shares and hours
  of the day ("48 heures", "20 %", "18:30");
- nobody greeted by name, nobody who is known by name (the visitor, the agent);
- no word with a capital inside a sentence, unless it is the website's own, since it may be a name.
  In languages that give capitals to all nouns (German) no past answer is safe then.
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


# Words that may follow a greeting without being anybody's name.
AFTER_GREETING = _set(
    "madame monsieur a et pour de d' du d'avance beaucoup bien encore infiniment vous votre nous"
    " there again and for in so very you your customer client cliente all everyone tous toutes"
    " par si je j'ai voici ici c'est"
)
# Words that may begin a sentence and be followed by a comma.
OPENERS = _set(
    "bonjour bonsoir hello merci thanks thank oui non yes certainly sure bien desole sorry"
    " absolument exactement effectivement parfait perfect great voila indeed unfortunately"
    " malheureusement actuellement currently entendu d'accord"
)
ALLOWED_CAPITALS = _set("i i'm i'll i've i'd i’m i’ll i’ve i’d madame monsieur")


@dataclass(frozen=True, slots=True)
class Line:
    """One message: ``author`` as ``Message`` says it; ``is_plain``: text and nothing else."""

    seq: int
    author: str
    body: str
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, and what was answered to it, from the message ``seq`` on."""

    seq: int
    question: str
    answer: str


def pairs(lines: Iterable[Line]) -> list[Pair]:
    """Each run of the visitor's words with the run of an agent's that follows it, the first few."""
    found: list[Pair] = []
    asked: list[str] = []
    said: list[Line] = []
    for line in [*lines, Line(0, "end", "")]:
        if line.author == "agent" and asked:
            said.append(line)
            continue
        if said:
            if all(one.is_plain for one in said):
                answer = "\n".join(one.body for one in said)
                found.append(Pair(said[0].seq, "\n".join(asked), answer))
            asked, said = [], []
        if line.author == "visitor":
            asked.append(line.body)
        elif line.author != "system":
            asked = []
    return found[:PAIRS_LIMIT]


def is_safe(answer: str, *, names: Iterable[str], vocabulary: Collection[str]) -> bool:
    """Whether an answer may be suggested in other conversations. ``names`` are of the people who
    talked; ``vocabulary`` holds the website's own words with capitals, folded."""
    shortest, longest = ANSWER_LIMITS
    if not shortest <= len(answer) <= longest or MAIL.search(answer):
        return False
    if any(TRACKED.search(found.group()) for found in WEB.finditer(answer)):
        return False
    text = WEB.sub(" ", answer)
    if any(character.isdigit() for character in HARMLESS.sub(" ", text)):
        return False
    if any(fold(met.group(1)) not in AFTER_GREETING for met in GREETING.finditer(text)):
        return False
    known = {part for name in names for part in spaced(name).split() if len(part) > 1}
    said = set(spaced(text).split())
    return not known & said and not any(_strange_capitals(text, vocabulary))


def _strange_capitals(text: str, vocabulary: Collection[str]) -> Iterable[bool]:
    """For each word whose capital is not that of its sentence: whether it may be a name."""
    for found in WORD.finditer(text):
        word, behind = found.group(), text[found.end() : found.end() + 1]
        if word[0] == word[0].lower() or fold(word) in ALLOWED_CAPITALS:
            continue
        begins = found.start() == 0 or SENTENCE_END.search(text[: found.start()])
        is_called = behind in {",", "!"} and fold(word) not in OPENERS  # "Jeanne, your parcel"
        is_short = word.isupper() and len(word) <= 3  # TVA, CB, PDF
        if not (begins and not is_called) and not is_short:
            yield fold(word) not in vocabulary


def redact(question: str, *, names: Iterable[str] = ()) -> str:
    """A question without what may tell who asked, as far as that can be recognised: to be
    compared, or asked elsewhere."""
    text = WEB.sub(" ", MAIL.sub(" ", question))
    is_shouted = text.isupper()
    known = {part for name in names for part in spaced(name).split() if len(part) > 1}
    kept: list[str] = []
    for piece in text.split():
        if any(character.isdigit() for character in piece) or known & set(spaced(piece).split()):
            continue
        is_first = not kept or kept[-1][-1] in ".!?"
        if piece[0].isupper() and not is_first and not is_shouted:
            continue
        kept.append(piece)
    return fold(" ".join(kept))[:QUESTION_LIMIT]
