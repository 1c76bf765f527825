"""What a rewritten text or a summary may be: pure functions."""

from __future__ import annotations

import re

from conversations.language_models.citations import ADDRESSES
from conversations.language_models.masking import DIGITS, EMAIL
from conversations.messages.validators import BODY_LIMIT

SUMMARY_LINES = 5
LINE_LIMIT = 300
WEB = re.compile(r"(?:https?://|www\.)[^\s<>\"“”«»]+", re.IGNORECASE)
MARKS = ".,;:!?)]'’*_"
BULLET = re.compile(r"^\s*(?:[-–—•*]|\d{1,2}[.)])\s+")


def is_rewording(before: str, after: str) -> bool:
    """Return whether ``after`` may be another wording of ``before``: not much longer, and without
    an address that was not there. What it says is for the agent to judge."""
    if not after.strip() or len(after) > min(BODY_LIMIT, 3 * len(before) + 200):
        return False
    return _addresses(after) <= _addresses(before)


def is_translation(before: str, after: str) -> bool:
    """Return whether ``after`` may be a translation of ``before``: not much longer, with exactly
    its addresses and its long numbers. A model that drops an order number, or adds a link, has not
    translated."""
    if not after.strip() or len(after) > min(BODY_LIMIT, 3 * len(before) + 200):
        return False
    return (_targets(before), _numbers(before)) == (_targets(after), _numbers(after))


def summary_of(text: str) -> str:
    """Return at most five lines of a summary, without bullets; empty if there is none."""
    lines = [BULLET.sub("", line).strip()[:LINE_LIMIT] for line in text.splitlines()]
    return "\n".join([line for line in lines if line][:SUMMARY_LINES])


def _numbers(text: str) -> list[str]:
    """Return the long numbers of a text, in any order and however they are grouped."""
    found = DIGITS.findall(text)
    return sorted("".join(one for one in number if one.isdigit()) for number in found)


def _targets(text: str) -> set[str]:
    """Return the e-mail and web addresses of a text, without the marks around them: each language
    has its own."""
    return {*EMAIL.findall(text), *(one.rstrip(MARKS) for one in WEB.findall(text))}


def _addresses(text: str) -> set[str]:
    found = [*ADDRESSES.findall(text), *EMAIL.findall(text)]
    return {address.rstrip(".,;:!?)»") for address in found}
