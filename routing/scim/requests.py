"""What clients of SCIM ask: filters and patches, read into plain data. No database, no request.

Okta and Entra ID write the same change in different ways: ``{"active": false}`` without a path, or
``"active"`` with the text ``"False"``, operations in capitals, members as objects or in a filter of
the path. All of them end as one list of changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONDITION = re.compile(
    r"""([A-Za-z][\w.:$-]*(?:\[type\s+eq\s+"\w+"\]\.value)?)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false)""",
    re.IGNORECASE,
)
AND = re.compile(r"\s+and\s+", re.IGNORECASE)
IN_PATH = re.compile(r'^(\w+)\[\s*(\w+)\s+eq\s+"([^"]*)"\s*\](?:\.(\w+))?$')
CORE = re.compile(r"^urn:ietf:params:scim:schemas:core:2\.0:(?:User|Group):", re.IGNORECASE)
LONGEST = 2000


class Invalid(Exception):
    """A request that cannot be understood; ``kind`` is the ``scimType`` of the answer."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an attribute, named in lower case: ``emails``, ``name.givenname``. ``how`` is
    ``add``, ``replace`` or ``remove``."""

    how: str
    attribute: str
    value: Any


def conditions_of(text: str) -> dict[str, str | bool]:
    """Return what must be equal, by attribute in lower case; raise ``Invalid`` otherwise."""
    conditions: dict[str, str | bool] = {}
    rest = text.strip()
    if len(rest) > LONGEST:
        raise Invalid("invalidFilter", "This filter is too long.")
    while rest:
        match = CONDITION.match(rest)
        if match is None:
            raise Invalid("invalidFilter", "Only eq, combined by and, is supported.")
        name, value = match[1].lower(), match[2]
        is_text = value.startswith('"')
        conditions[plain(name)] = (
            re.sub(r"\\(.)", r"\1", value[1:-1]) if is_text else value.lower() == "true"
        )
        rest = rest[match.end() :]
        if rest.strip():
            joint = AND.match(rest)
            if joint is None or not rest[joint.end() :].strip():
                raise Invalid("invalidFilter", "Only eq, combined by and, is supported.")
            rest = rest[joint.end() :]
        else:
            rest = ""
    return conditions


def changes_of(body: Mapping[str, Any]) -> list[Change]:
    """Return the changes of a PATCH, in order; raise ``Invalid``."""
    operations = next((value for name, value in body.items() if name.lower() == "operations"), None)
    if not isinstance(operations, list) or not operations or len(operations) > LONGEST:
        raise Invalid("invalidSyntax", "Operations must be a list.")
    changes: list[Change] = []
    for one in operations:
        how = str(one.get("op", "")).lower() if isinstance(one, dict) else ""
        if how not in {"add", "replace", "remove"}:
            raise Invalid("invalidSyntax", "op must be add, replace or remove.")
        path, value = one.get("path"), one.get("value")
        if path is None and how != "remove" and isinstance(value, dict):
            changes += [
                Change(how, attribute, inner)
                for name, inner in value.items()
                for attribute, inner in _flat(plain(name), inner)
            ]
        elif isinstance(path, str) and path:
            changes += _at_path(how, path, value)
        else:
            raise Invalid("noTarget", "An operation needs a path or an object as its value.")
    return changes


def changes_to(body: Mapping[str, Any]) -> list[Change]:
    """Return what a whole resource says, as changes that replace."""
    return [
        Change("replace", attribute, inner)
        for name, value in body.items()
        for attribute, inner in _flat(plain(name), value)
    ]


def plain(name: str) -> str:
    """Return the name of an attribute in lower case, without the schema and the type of a value."""
    lower = CORE.sub("", name).lower()
    return re.sub(r'\[type\s+eq\s+"\w+"\]\.value$', ".value", lower)


def truth(value: Any) -> bool:
    """Return a truth value, which Entra ID writes as a text; raise ``Invalid``."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise Invalid("invalidValue", "active must be true or false.")


def ids_of(value: Any) -> list[str]:
    """Return the ids of members, which are objects or plain; raise ``Invalid``."""
    values = value if isinstance(value, list) else [value]
    ids = [one.get("value") if isinstance(one, dict) else one for one in values]
    if not all(isinstance(one, str) for one in ids):
        raise Invalid("invalidValue", "members must name users by their id.")
    return [one for one in ids if isinstance(one, str)]


def _flat(name: str, value: Any) -> list[tuple[str, Any]]:
    """Take the parts of a name apart; lists and plain values stay whole."""
    if name == "name" and isinstance(value, dict):
        return [(f"name.{part.lower()}", inner) for part, inner in value.items()]
    return [(name, value)]


def _at_path(how: str, path: str, value: Any) -> list[Change]:
    inside = IN_PATH.match(CORE.sub("", path.strip()))
    if inside is None:
        return [Change(how, attribute, inner) for attribute, inner in _flat(plain(path), value)]
    attribute = inside[1].lower()
    if attribute == "members" and inside[2].lower() == "value":
        return [Change(how, attribute, [{"value": inside[3]}])]
    if how == "remove":
        return [Change(how, attribute, None)]
    return [Change(how, f"{attribute}.{(inside[4] or 'value').lower()}", value)]
