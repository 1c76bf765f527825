"""The HTTP contract of external bots: what an event contains, and which answers are valid.

The OpenAPI document beside this file describes it for those who write bots, and answers are checked
against its schemas. Pure functions: this module knows no database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ANSWER_LIMIT = 256 * 1024  # bytes
WAIT_LIMIT = 30  # seconds in one answer
VALUE_LENGTH = 200

MESSAGE, CHOICES, CARDS, TYPING = "message", "choices", "cards", "typing"
WAIT, SET, ESCALATE, CLOSE = "wait", "set", "escalate", "close"
ENDS = (ESCALATE, CLOSE)

Action = Mapping[str, Any]


class EventType(StrEnum):
    """What happened in the conversation."""

    STARTED = "conversation.started"
    MESSAGE = "message.received"
    CHOICE = "choice.pressed"
    ATTACHMENT = "attachment.received"
    RETURNED = "visitor.returned"


class Invalid(ValueError):
    """An answer that does not have the agreed format; the text says what is wrong, in English."""


@cache
def description() -> dict[str, Any]:
    """Return the OpenAPI description of the contract."""
    found: dict[str, Any] = json.loads(
        Path(__file__).with_name("contract.openapi.json").read_text()
    )
    return found


@cache
def _validator() -> Draft202012Validator:
    schema = {"$ref": "#/components/schemas/Answer", "components": description()["components"]}
    return Draft202012Validator(schema)


def type_of(*, is_first: bool, body: str, has_file: bool, choices: Sequence[str]) -> EventType:
    """Return the type of the event that a visitor's message is; ``choices`` were offered last."""
    if is_first:
        return EventType.STARTED
    if has_file:
        return EventType.ATTACHMENT
    return EventType.CHOICE if body in choices else EventType.MESSAGE


def read(content: bytes) -> list[Action]:
    """Return the actions of an answer; raise ``Invalid``. No content is an answer without any."""
    if not content.strip():
        return []
    try:
        answer = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Invalid("the answer is not JSON") from None
    error = next(_validator().iter_errors(answer), None)
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path)
        raise Invalid(f"the answer does not have the format, at {place or 'its top'}")
    actions: list[Action] = answer.get("actions", [])
    if any(action["type"] in ENDS for action in actions[:-1]):
        raise Invalid("an action follows the end of the conversation with the bot")
    if sum(action["seconds"] for action in actions if action["type"] == WAIT) > WAIT_LIMIT:
        raise Invalid("the pauses are too long")
    return actions


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
