"""Read JSON from outside: strictly, and cleaned (``core.text.cleaning``).

Whatever is read can be stored, walked and written again: no NUL and no half of a surrogate pair, no
number that PostgreSQL or another JSON reader would refuse, no name twice, no bottomless nesting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from core.rejection import Rejected
from core.text.cleaning import clean

DEPTH = 20
LARGEST = 2**63 - 1


class Malformed(ValueError):
    """What was sent is not JSON, or not JSON that anybody can rely on."""


def parse(body: bytes | str, *, read_number: Callable[[str], Any] | None = None) -> Any:
    """Return the value that ``body`` (UTF-8) holds; raise ``Malformed`` where it holds none.

    ``read_number`` makes a value of a number's own digits, where a float would not be exact.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8-sig")
        read = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_refuse,
            parse_int=read_number,
            parse_float=read_number,
        )
    except (ValueError, RecursionError):
        raise Malformed from None
    return _cleaned(read, DEPTH)


def parse_object(body: bytes | str, **how: Any) -> dict[str, Any]:
    """Return the JSON object in ``body``; raise ``Rejected`` (400) where there is none."""
    try:
        read = parse(body, **how)
    except Malformed:
        read = None
    if not isinstance(read, dict):
        raise Rejected("invalid", _("Please send a JSON object."), 400)
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """One reader takes the first of two equal names, another the last: neither is right."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed
    return found


def _refuse(_constant: str) -> Any:
    raise Malformed  # NaN and Infinity are not JSON.


def _cleaned(value: Any, depth: int) -> Any:
    if depth < 0:
        raise Malformed
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(name): _cleaned(one, depth - 1) for name, one in value.items()}
        case list():
            return [_cleaned(one, depth - 1) for one in value]
        case bool():
            return value
        case int() if abs(value) > LARGEST:
            raise Malformed
        case float() if not math.isfinite(value):
            raise Malformed
    return value
