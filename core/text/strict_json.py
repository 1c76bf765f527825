"""A strict reader for JSON from outside, which also cleans it (``core.text.cleaning``).

Every value it returns can be stored, traversed and written again: no NUL, no unpaired surrogate, no
number that PostgreSQL or another JSON reader would refuse, no duplicate names, no deep nesting.
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
    """The input is not JSON, or not JSON that every reader understands the same way."""


def parse(body: bytes | str, *, read_number: Callable[[str], Any] | None = None) -> Any:
    """Return the value in ``body`` (UTF-8); raise ``Malformed`` if there is none.

    ``read_number`` converts the digits of a number, where a float would not be exact.
    """
    try:
        # Some clients begin with a byte order mark.
        text = body if isinstance(body, str) else body.decode("utf-8-sig")
        read = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_refuse,
            parse_int=read_number,
            parse_float=read_number,
        )
    # The parser itself overflows on deep nesting, before ``DEPTH`` is checked.
    except (ValueError, RecursionError):
        raise Malformed from None
    return _cleaned(read, DEPTH)


def parse_object(body: bytes | str, **how: Any) -> dict[str, Any]:
    """Return the JSON object in ``body``; raise ``Rejected`` (400) if there is none."""
    try:
        read = parse(body, **how)
    except Malformed:
        read = None
    if not isinstance(read, dict):
        raise Rejected("invalid", _("The request must contain a JSON object."), 400)
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object and refuse duplicate names: some readers take the first, others the last."""
    built = dict(pairs)
    if len(built) < len(pairs):
        raise Malformed
    return built


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
        case int() if abs(value) > LARGEST:
            raise Malformed
        case float() if not math.isfinite(value):
            raise Malformed
    return value
