"""The words of a reply to our e-mail, without the quoted e-mail.

Only what is certain is cut. A quote is ours if it contains our own delimiter, or if the line above
it names us. Lines in it that we did not write are the person's, whether above, below or inside.
Quotes of anybody else are part of the message. Pure functions of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from messenger.mail import attributions, signatures
from messenger.mail.own_text import DELIMITER, OwnText, squash

_MARKS = re.compile(r"[ \t]?((?:>[ \t]?)+)")
REACH = 12
"""How many lines above our delimiter to search for the attribution."""

CONTEXT = 3
"""How many quoted lines remain above an answer that was written between them."""


class Fate(Enum):
    WORDS = "words"  # written by the person
    QUOTED = "quoted"  # in a quote of ours: judged line by line
    CUT = "cut"
    TYPED = "typed"  # written by the person inside the quote
    CONTEXT = "context"  # ours, answered by the words below it


@dataclass(slots=True)
class TextLine:
    raw: str
    text: str
    depth: int
    fate: Fate = Fate.WORDS

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certain start of our e-mail: ``start`` with the attribution, ``body`` below it."""

    start: int
    body: int


NOTHING_KNOWN = OwnText()


def words(text: str, own: OwnText = NOTHING_KNOWN) -> str:
    """Return what the person wrote; empty if every line is known to be ours."""
    lines = [_text_line(raw) for raw in text.replace("\t", " ").split("\n")]
    for anchor in _anchors(lines, own):
        _mark(lines, anchor)
    _mark_selections(lines, own)
    is_certain = _sort_out(lines, own)
    _keep_context(lines, own, is_certain=is_certain)
    joined = _joined(lines)
    if joined or not text.strip():
        return joined
    all_ours = is_certain and not any(
        line.fate is Fate.WORDS and not line.is_blank for line in lines
    )
    return "" if all_ours else without_marks(text)


def without_marks(text: str) -> str:
    return _tidy("\n".join(_text_line(raw).text for raw in text.split("\n")))


def _text_line(raw: str) -> TextLine:
    match = _MARKS.match(raw)
    if match is None:
        return TextLine(raw, raw, 0)
    return TextLine(raw, raw[match.end() :], match[1].count(">"))


# --- Where a quote of ours begins


def _anchors(lines: list[TextLine], own: OwnText) -> Iterator[Anchor]:
    texts = [line.text for line in lines]
    at = 0
    while at < len(lines):
        anchor = (
            _at_delimiter(lines, texts, at, own)
            or _at_headers(lines, texts, at, own)
            or _at_sentence(lines, texts, at, own)
        )
        if anchor is not None:
            yield anchor
            at = max(at + 1, anchor.body)
        else:
            at += 1


def _at_delimiter(lines: list[TextLine], texts: list[str], at: int, own: OwnText) -> Anchor | None:
    text = texts[at].strip(" *_|")
    is_ours = text.startswith(DELIMITER) or (DELIMITER in text and lines[at].depth)
    if not is_ours or lines[at].fate is not Fate.WORDS:
        return None
    top = at
    while lines[at].depth and top and (lines[top - 1].depth or lines[top - 1].is_blank):
        top -= 1
    top = _skip_blank(lines, top, down=True)
    if any(_who_wrote(texts, end, own) is not None for end in range(top + 1, at + 1)):
        return Anchor(_with_rule(lines, top), at)  # The attribution is inside the quote.
    for end in range(top, max(-1, top - REACH), -1):
        start = _who_wrote(texts, end, own)
        if start is not None:
            return Anchor(_with_rule(lines, start), at)
    return Anchor(_with_rule(lines, top), at)


def _who_wrote(texts: list[str], end: int, own: OwnText) -> int | None:
    """Return the start of the sentence or the headers right above ``end``."""
    start = attributions.sentence_start(texts, end)
    if start is not None and attributions.header_role(texts[start]) is None:
        return start
    first = end
    while first and attributions.header_role(texts[first - 1]) is not None:
        first -= 1
    roles = attributions.headers_end(texts, first)[1] if first < end else set()
    is_ours = not own.is_known or own.is_named_in("\n".join(texts[first:end]))
    return first if is_ours and "from" in roles and roles & {"date", "subject"} else None


def _at_headers(lines: list[TextLine], texts: list[str], at: int, own: OwnText) -> Anchor | None:
    if attributions.header_role(texts[at]) is None:
        return None
    end, roles = attributions.headers_end(texts, at)
    start = _with_rule(lines, at)
    wanted = 2 if start < at else 3
    if "from" not in roles or not roles & {"date", "subject"} or len(roles) < wanted:
        return None
    # The writer decides: "To" also names the visitor when, say, a courier wrote to them.
    writer = next(one for one in texts[at:end] if attributions.header_role(one) == "from")
    is_ours = own.is_named_in(writer) if own.is_known else start < at or len(roles) > wanted
    return Anchor(start, end) if is_ours else None


def _at_sentence(lines: list[TextLine], texts: list[str], at: int, own: OwnText) -> Anchor | None:
    if not texts[at].rstrip(" *_>").endswith((":", "：")) and "@" not in texts[at]:
        return None
    start = attributions.sentence_start(texts, at + 1)
    sentence = " ".join(texts[at if start is None else start : at + 1])
    if start is None:
        # "Maison wrote:", without a date or an address.
        if not (own.is_named_in(sentence) and attributions.is_saying(sentence)):
            return None
        start = at
    body = _skip_blank(lines, at + 1, down=True)
    if body >= len(lines) or body - at > REACH // 2:
        return None
    is_quoted = lines[body].depth > lines[start].depth
    if own.is_known:
        if not own.is_named_in(sentence):
            return None
        is_quoted = is_quoted or own.has(texts[body])
    return Anchor(_with_rule(lines, start), at + 1) if is_quoted else None


def _with_rule(lines: list[TextLine], start: int) -> int:
    """Include a rule above the attribution in the quote."""
    above = _skip_blank(lines, start - 1, down=False)
    if above >= 0 and start - above <= 3 and attributions.is_rule(lines[above].text):
        return above
    return start


def _skip_blank(lines: list[TextLine], at: int, *, down: bool) -> int:
    while 0 <= at < len(lines) and lines[at].is_blank:
        at += 1 if down else -1
    return at


# --- Which lines belong to whom


def _mark(lines: list[TextLine], anchor: Anchor) -> None:
    """Mark the quote: with quote marks, the marked lines; without, all that follows."""
    first = _skip_blank(lines, anchor.body, down=True)
    has_marks = first < len(lines) and lines[first].depth > 0
    for line in lines[anchor.start : anchor.body]:
        line.fate = Fate.CUT
    for line in lines[anchor.body :]:
        if line.fate is Fate.WORDS and (line.depth or not has_marks):
            line.fate = Fate.QUOTED


def _runs(lines: list[TextLine]) -> Iterator[list[TextLine]]:
    """Yield runs of consecutive marked lines."""
    run: list[TextLine] = []
    for line in lines:
        if line.depth:
            run.append(line)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _mark_selections(lines: list[TextLine], own: OwnText) -> None:
    """Mark quotes without an attribution as ours if every line is ours."""
    if not own.is_known:
        return
    for run in _runs(lines):
        if all(line.fate is Fate.WORDS for line in run):
            before = ["", *(line.text for line in run)]
            known = [
                own.has(line.text, before=above) for line, above in zip(run, before, strict=False)
            ]
            if all(known) and any(squash(line.text) for line in run):
                for line in run:
                    line.fate = Fate.QUOTED


def _sort_out(lines: list[TextLine], own: OwnText) -> bool:
    """Separate the person's lines in quotes from ours; return whether that was possible.

    If most of the quote is unknown to us (a program has translated it), it is cut as a whole.
    """
    quoted = [line for line in lines if line.fate is Fate.QUOTED]
    foreign: list[TextLine] = []
    substantial = 0
    before = above = ""
    for line in quoted:
        if not _is_neutral(line.text, above, own):
            substantial += 1
            if not own.has(line.text, before=before):
                foreign.append(line)
        before, above = (before if line.is_blank else line.text), line.text
    # If most lines are foreign, it is our quote in another language, and none of them was typed.
    is_certain = own.is_known and bool(quoted) and len(foreign) * 2 <= substantial
    for line in quoted:
        line.fate = Fate.CUT
    if is_certain:
        for line in foreign:
            line.fate = Fate.TYPED
    return is_certain


def _is_neutral(text: str, above: str, own: OwnText) -> bool:
    """Return whether a quoted line has no words: addresses, headers, rules, advertising."""
    stripped = attributions.plain(text)
    if attributions.is_rule(text) or signatures.is_advertising(text):
        return True
    if DELIMITER in text or (
        own.is_named_in(stripped) and attributions.has_moment_or_address(stripped)
    ):
        return True
    if attributions.header_role(text) is not None and own.is_named_in(stripped):
        return True
    return own.has(text) if not squash(text) else own.continues_link(text, above=above)


def _keep_context(lines: list[TextLine], own: OwnText, *, is_certain: bool) -> None:
    """Retain the quoted lines that are answered in between."""

    def is_said(line: TextLine) -> bool:
        if line.fate is not Fate.CUT or line.is_blank or DELIMITER in line.text:
            return False
        return own.was_said(line.text) if is_certain else line.depth > 0

    positions = [at for at, line in enumerate(lines) if is_said(line)]
    typed = [
        at
        for at, line in enumerate(lines)
        if line.fate in {Fate.WORDS, Fate.TYPED} and not line.is_blank
    ]
    if not positions or not any(positions[0] < at < positions[-1] for at in typed):
        return
    for at in typed:
        above = at - 1
        while above >= 0 and lines[above].is_blank:
            above -= 1
        for number in range(above, max(-1, above - CONTEXT), -1):
            if not is_said(lines[number]):
                break
            lines[number].fate = Fate.CONTEXT


# --- What remains


def _joined(lines: list[TextLine]) -> str:
    """Join the words in order, each piece without what a program added at its end."""
    own_lines = [line for line in lines if line.fate is Fate.WORDS and not line.is_blank]
    only_quotes = bool(own_lines) and all(line.depth for line in own_lines)
    pieces: list[list[str]] = [[]]
    for line in lines:
        match line.fate:
            case Fate.CUT | Fate.QUOTED:
                if pieces[-1]:
                    pieces.append([])
            case Fate.CONTEXT:
                pieces[-1].append(f"> {line.text.strip()}")
            case Fate.TYPED:
                pieces[-1].append(line.text)
            case Fate.WORDS:
                pieces[-1].append(line.text if only_quotes else line.raw)
    trimmed = _tidy("\n\n".join("\n".join(signatures.trim(piece)) for piece in pieces))
    # A reply that is nothing but "Sent from my iPhone" still says that.
    return trimmed or _tidy("\n\n".join("\n".join(piece) for piece in pieces))


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
