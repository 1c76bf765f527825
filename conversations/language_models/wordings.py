"""What a rewritten text or a summary may be: pure functions."""

from __future__ import annotations

import re

from conversations.language_models.citations import ADDRESSES
from conversations.language_models.masking import EMAIL
from conversations.messages.validators import BODY_LIMIT

SUMMARY_LINES = 5
LINE_LIMIT = 300
BULLET = re.compile(r"^\s*(?:[-–—•*]|\d{1,2}[.)])\s+")


def is_rewording(before: str, after: str) -> bool:
    """Return whether ``after`` may be another wording of ``before``: not much longer, and without
    an address that was not there. What it says is for the agent to judge."""
    if not after.strip() or len(after) > min(BODY_LIMIT, 3 * len(before) + 200):
        return False
    return _addresses(after) <= _addresses(before)


def summary_of(text: str) -> str:
    """Return at most five lines of a summary, without bullets; empty if there is none."""
    lines = [BULLET.sub("", line).strip()[:LINE_LIMIT] for line in text.splitlines()]
    return "\n".join([line for line in lines if line][:SUMMARY_LINES])


def _addresses(text: str) -> set[str]:
    found = [*ADDRESSES.findall(text), *EMAIL.findall(text)]
    return {address.rstrip(".,;:!?)»") for address in found}
