"""The contract of external bots: which answers are valid, and that its description says the
same."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from routing.bots import contract
from routing.bots.contract import EventType, Invalid, description, read, type_of

GOOD: list[list[dict[str, object]]] = [
    [],
    [{"type": "typing"}, {"type": "wait", "seconds": 2}, {"type": "message", "text": "Hello"}],
    [{"type": "choices", "text": "Which?", "choices": ["One", "Two"]}],
    [
        {
            "type": "cards",
            "cards": [{"title": "Lamp", "links": [{"text": "See", "url": "https://x"}]}],
        }
    ],
    [{"type": "set", "data": {"order": "CM-1"}, "skills": ["Dutch"]}, {"type": "escalate"}],
    [{"type": "close", "text": "Goodbye"}],
]
BAD = [
    b"<html>",
    b"\xff\xfe",
    b"[]",
    b"null",
    b'{"actions": {}}',
    b'{"action": []}',
    b'{"actions": [{"type": "dance"}]}',
    b'{"actions": [{"type": "message"}]}',
    b'{"actions": [{"type": "message", "text": ""}]}',
    b'{"actions": [{"type": "message", "text": "x", "html": "y"}]}',
    b'{"actions": [{"type": "wait", "seconds": 11}]}',
    b'{"actions": [{"type": "wait", "seconds": NaN}]}',
    b'{"actions": [{"type": "close"}, {"type": "typing"}]}',
    json.dumps({"actions": [{"type": "wait", "seconds": 9}] * 4}).encode(),
    json.dumps({"actions": [{"type": "typing"}] * 21}).encode(),
    json.dumps({"actions": [{"type": "set", "data": {"Not A Name": "x"}}]}).encode(),
    b"[" * 100_000,
]


@pytest.mark.parametrize("actions", GOOD)
def test_what_the_description_allows_is_read(actions: list[dict[str, object]]) -> None:
    assert read(json.dumps({"actions": actions}).encode()) == actions


@pytest.mark.parametrize("content", [b"", b"  \n", b"{}"])
def test_an_answer_may_hold_nothing(content: bytes) -> None:
    assert read(content) == []


@pytest.mark.parametrize("content", BAD)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content)


def test_the_description_is_a_schema_and_names_each_event_and_action() -> None:
    schemas = description()["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert schemas["Event"]["properties"]["type"]["enum"] == [one.value for one in EventType]
    kinds = {
        one["properties"]["type"]["const"]
        for one in schemas.values()
        if "const" in one.get("properties", {}).get("type", {})
    }
    assert kinds == {
        *(contract.MESSAGE, contract.CHOICES, contract.CARDS, contract.TYPING),
        *(contract.WAIT, contract.SET, contract.ESCALATE, contract.CLOSE),
    }


def test_a_message_is_a_beginning_a_file_a_choice_or_a_text() -> None:
    def named(body: str, *, is_first: bool = False, has_file: bool = False) -> EventType:
        return type_of(is_first=is_first, body=body, has_file=has_file, choices=["Lamps"])

    assert named("Hi", is_first=True) == EventType.STARTED
    assert named("", has_file=True) == EventType.ATTACHMENT
    assert named("Lamps") == EventType.CHOICE
    assert named("lamps?") == EventType.MESSAGE
