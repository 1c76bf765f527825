"""A scenario: what a bot says and asks, as JSON of a documented format (docs/bots.md).

The JSON schema beside this file defines the format and its limits. Everything else here is a pure
reading of that JSON: this module knows no database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FORMAT = 1
SIZE_LIMIT = 512 * 1024  # bytes of an imported file
DEFAULT_TRIES = 3

SAY, ASK, CARDS, CONDITION, SET = "say", "ask", "cards", "condition", "set"
KNOWLEDGE, CALL, ESCALATE, CLOSE = "knowledge", "call", "escalate", "close"
KINDS = (SAY, ASK, CARDS, CONDITION, SET, KNOWLEDGE, CALL, ESCALATE, CLOSE)
CHOICE, TEXT, EMAIL, PHONE = "choice", "text", "email", "phone"
NUMBER, DATE, PATTERN = "number", "date", "pattern"

Step = Mapping[str, Any]
Texts = Mapping[str, str]


class Invalid(ValueError):
    """JSON that is not a scenario. ``place`` is the path of the first error, such as
    ``steps/3/text``; the text of the exception says what is wrong there, in English."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(problem)
        self.place = place


@dataclass(frozen=True, slots=True)
class Way:
    """A way on from a step. ``field`` is the path of the field that holds it, such as ``next`` or
    ``choices/0``; ``to`` is the id of a step or empty."""

    field: str
    to: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A valid scenario. ``languages`` are those in which its texts are looked for when the
    conversation's own has none, the first one first."""

    data: Mapping[str, Any]
    languages: tuple[str, ...] = ()

    @property
    def start(self) -> str:
        return str(self.data["start"])

    @property
    def steps(self) -> dict[str, Step]:
        """The steps by id, in the order of the file."""
        return {step["id"]: step for step in self.data["steps"]}

    @property
    def people(self) -> Mapping[str, Any]:
        people: Mapping[str, Any] = self.data.get("people", {})
        return people

    def text(self, texts: Texts, language: str) -> str:
        """Return the text for a language: its own, that of the language without its country, that
        of the first language that has one, or any. Empty if there is none."""
        for wanted in (language, language.partition("-")[0], *self.languages, *sorted(texts)):
            if texts.get(wanted):
                return texts[wanted]
        return ""


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(Path(__file__).with_name("scenario.schema.json").read_text())
    return Draft202012Validator(schema)


def check(data: object, languages: tuple[str, ...] = ()) -> Scenario:
    """Return ``data`` as a scenario; raise ``Invalid`` if it does not have the format."""
    errors = list(_validator().iter_errors(data))
    if errors:
        # A step with an error inside also has fields that are "unexpected": not the point.
        telling = [one for one in errors if one.validator != "unevaluatedProperties"] or errors
        # The deepest error is the closest to what the author did.
        error = max(telling, key=lambda one: len(one.absolute_path))
        raise Invalid("/".join(str(part) for part in error.absolute_path), error.message[:300])
    assert isinstance(data, dict)
    seen: set[str] = set()
    for number, step in enumerate(data["steps"]):
        if step["id"] in seen:
            raise Invalid(f"steps/{number}/id", f"{step['id']!r} is the id of another step")
        seen.add(step["id"])
    return Scenario(data, languages)


def read(content: bytes, languages: tuple[str, ...] = ()) -> Scenario:
    """Return the scenario in a file; raise ``Invalid`` if there is none."""
    if len(content) > SIZE_LIMIT:
        raise Invalid("", f"the file is larger than {SIZE_LIMIT // 1024} kB")
    try:
        data = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid("", f"this is not JSON: {error}") from None
    try:
        return check(data, languages)
    except RecursionError:
        raise Invalid("", "the file is nested too deeply") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def write(scenario: Scenario) -> bytes:
    """Return the scenario as a file that people and version control can read."""
    return (json.dumps(scenario.data, ensure_ascii=False, indent=2) + "\n").encode()


def ways(step: Step) -> Iterator[Way]:
    """Yield all ways on from a step, in the order in which they are shown; ends have none."""
    match step["kind"]:
        case "ask":
            if step["answer"] == CHOICE:
                for number, choice in enumerate(step.get("choices", ())):
                    yield Way(f"choices/{number}", choice["next"])
            else:
                yield Way("next", step.get("next", ""))
            yield Way("failed", step.get("failed", ""))
        case "condition":
            for number, branch in enumerate(step["branches"]):
                yield Way(f"branches/{number}", branch["next"])
            yield Way("otherwise", step["otherwise"])
        case "knowledge" | "call":
            yield Way("next", step["next"])
            yield Way("failed", step["failed"])
        case "escalate":
            if step.get("no_room"):
                yield Way("no_room", step["no_room"])
        case "say" | "cards" | "set":
            yield Way("next", step["next"])


def texts_of(step: Step) -> Iterator[tuple[str, Texts]]:
    """Yield each text of a step with the path of its field, required or not."""
    for name in ("text", "retry"):
        if name in step:
            yield name, step[name]
    for number, choice in enumerate(step.get("choices", ())):
        yield f"choices/{number}", choice["text"]
    for number, card in enumerate(step.get("cards", ())):
        yield f"cards/{number}/title", card["title"]
        if "text" in card:
            yield f"cards/{number}/text", card["text"]
        for nth, link in enumerate(card.get("links", ())):
            yield f"cards/{number}/links/{nth}", link["text"]
