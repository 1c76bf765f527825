"""Cleaning of text from outside, by one rule for all entry points (C63).

Characters that PostgreSQL cannot store (NUL, unpaired surrogates) become U+FFFD at the entry
points: JSON bodies, forms, query strings, cookies. Texts and labels then drop it together with
other control characters. Identifiers that contain it are refused, since without it they would be
other identifiers.
"""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\ufffd"
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
JOINERS = "\u200c\u200d"  # Persian and Hindi words and emoji of several parts need them.
JOINED = frozenset({"Lo", "Mn", "Mc", "So", "Sk"})
BLACK_FLAG, TAGS = "\U0001f3f4", range(0xE0020, 0xE0080)  # the flags of England, Scotland, Wales
SKIN_TONES = range(0x1F3FB, 0x1F400)
REGIONS = range(0x1F1E6, 0x1F200)


def clean(text: str) -> str:
    """Return ``text`` with characters that PostgreSQL cannot store replaced by U+FFFD."""
    return UNSTORABLE.sub(REPLACEMENT, text) if UNSTORABLE.search(text) else text


def words(text: str) -> str:
    """Return a text of any number of lines with normalized line ends and without control characters
    and U+FFFD. Direction marks and joiners stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.replace("\n", " ").isprintable():
        return text.strip()
    return "".join(
        character
        for character in text
        if character in "\n\t"
        or (character != REPLACEMENT and unicodedata.category(character) not in {"Cc", "Cs"})
    ).strip()


def line(text: str, limit: int | None = None) -> str:
    """Return a label of one line, such as a name or a title, cut to ``limit`` characters.

    Invisible characters are dropped: they could make one name look like another, and a direction
    override would reverse the text next to it. Joiners stay where the script or emoji needs them.
    """
    text = " ".join(text.split())
    if not (text.isascii() and text.isprintable()):
        text = " ".join("".join(_visible(text)).split())
    return text if limit is None else cut(text, limit)


def _visible(text: str) -> list[str]:
    visible: list[str] = []
    for character in text:
        before = visible[-1] if visible else ""
        match unicodedata.category(character):
            case "Cc" | "Cs" | "Co" | "Zl" | "Zp":
                visible += " " if character in "\x85\u2028\u2029" else ""
            case "Cf":
                is_joiner = character in JOINERS and before and _may_join(before)
                is_tag = ord(character) in TAGS and (before == BLACK_FLAG or _is_tag(before))
                visible += character if is_joiner or is_tag else ""
            case _:
                visible += "" if character == REPLACEMENT else character
    return visible


def _may_join(character: str) -> bool:
    return unicodedata.category(character) in JOINED


def _is_tag(character: str) -> bool:
    return bool(character) and ord(character) in TAGS


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters (code points) of ``text``. The end never splits an emoji
    or separates a letter from its accent."""
    if len(text) <= limit:
        return text
    end = limit
    while end and _continues(text, end):
        end -= 1
    # A text of nothing but marks would be cut to nothing.
    return text[: end or limit].rstrip()


def _continues(text: str, index: int) -> bool:
    """Return whether the character at ``index`` belongs to the one before it."""
    character, before = text[index], text[index - 1]
    if unicodedata.category(character) in {"Mn", "Me", "Mc"} or character in JOINERS:
        return True
    code = ord(character)
    if code in SKIN_TONES or code in TAGS or before == "\u200d":
        return True
    if code not in REGIONS:
        return False
    flags = 0  # Two regional letters make a flag: the second of a pair continues the first.
    while flags < index and ord(text[index - 1 - flags]) in REGIONS:
        flags += 1
    return flags % 2 == 1


def is_identifier(text: str) -> bool:
    """Return whether ``text`` can be an identifier: not empty, all of it visible and readable."""
    return bool(text) and text.isprintable() and REPLACEMENT not in text
