"""What a visitor's answer must look like, and how it is read: pure functions of text.

No regular expression comes from outside: a code has a form of ``#`` (a digit), ``@`` (a letter),
``*`` (either) and literal characters, which is compared in time linear in the text.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from routing.bots import scenario
from routing.bots.scenario import Step

LIMIT = 200  # characters of a stored answer
SEARCHED = 4000  # characters of a message that are searched

_email = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")
_phone = re.compile(r"\+?\d[\d .()/-]{4,30}\d")
_number = re.compile(r"(?<![\w.,])[-+]?\d{1,15}(?:[.,]\d{1,6})?(?![\w]|[.,]\d)")
_iso_date = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_day_first = re.compile(r"(?<!\d)(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})(?!\d)")


def fold(text: str) -> str:
    """Return ``text`` without case, accents and punctuation, its words separated by one space."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    letters = (" " if not (c.isalnum() or c.isspace()) else c for c in plain if not _is_mark(c))
    return " ".join("".join(letters).split())


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn"


def has_any(text: str, phrases: Iterable[str]) -> bool:
    """Return whether one of ``phrases`` stands in ``text`` as whole words."""
    padded = f" {fold(text[:SEARCHED])} "
    return any(f" {phrase} " in padded for phrase in map(fold, phrases) if phrase)


def parse(step: Step, text: str) -> str | None:
    """Return the value of a visitor's answer to a step that asks, or None if it is not valid.

    Of a choice it is the number of the choice. Numbers are returned with a point, dates as
    year-month-day, codes in capitals.
    """
    value = _parse(step, text[:SEARCHED].strip())
    return None if value is None else value[:LIMIT]


def _parse(step: Step, text: str) -> str | None:
    match step["answer"]:
        case scenario.CHOICE:
            return _choice(step, text)
        case scenario.TEXT:
            return text or None
        case scenario.EMAIL:
            match = _email.search(text)
            return match.group().lower() if match and ".." not in match.group() else None
        case scenario.PHONE:
            return _phone_in(text)
        case scenario.NUMBER:
            return _number_in(text, step.get("least"), step.get("most"))
        case scenario.DATE:
            return _date_in(text)
        case scenario.PATTERN:
            return find_code(step.get("pattern", ""), text)
    return None


def _choice(step: Step, text: str) -> str | None:
    """A choice is pressed or typed: its text in any language, or its number."""
    answer = fold(text)
    choices = step.get("choices", ())
    for number, choice in enumerate(choices):
        if answer and answer in map(fold, choice["text"].values()):
            return str(number)
    is_number = answer.isdecimal() and len(answer) == 1 and 1 <= int(answer) <= len(choices)
    return str(int(answer) - 1) if is_number else None


def _phone_in(text: str) -> str | None:
    match = _phone.search(text)
    if match is None:
        return None
    digits = "".join(c for c in match.group() if c.isdecimal())
    return ("+" if match.group().startswith("+") else "") + digits if len(digits) <= 15 else None


def _number_in(text: str, least: float | None, most: float | None) -> str | None:
    match = _number.search(text)
    if match is None:
        return None
    value = float(match.group().replace(",", "."))
    if not math.isfinite(value) or (least is not None and value < least):
        return None
    if most is not None and value > most:
        return None
    return str(int(value)) if value == int(value) else str(value)


def _date_in(text: str) -> str | None:
    iso, day_first = _iso_date.search(text), _day_first.search(text)
    if iso is not None:
        year, month, day = iso.groups()
    elif day_first is not None:
        day, month, year = day_first.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def find_code(form: str, text: str) -> str | None:
    """Return the first code of ``form`` in ``text``, in capitals. Spaces inside do not count."""
    wanted = form.replace(" ", "").upper()
    written = "".join(text.split()).upper()
    for start in range(len(written) - len(wanted) + 1):
        piece = written[start : start + len(wanted)]
        if wanted and all(_fits(c, sign) for c, sign in zip(piece, wanted, strict=True)):
            return piece
    return None


def _fits(character: str, sign: str) -> bool:
    is_digit, is_letter = character in "0123456789", character.isalpha() and character.isascii()
    match sign:
        case "#":
            return is_digit
        case "@":
            return is_letter
        case "*":
            return is_digit or is_letter
    return character == sign
