"""What the engine of scenarios takes and returns: states, facts, events and actions, all plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from routing.targeting import Value


class Waits(StrEnum):
    """What a conversation with a bot waits for."""

    BEGINNING = "beginning"
    ANSWER = "answer"
    CALL = "call"
    ROOM = "room"
    NOTHING = "nothing"  # it is over


class Reason(StrEnum):
    """Why a bot passes a conversation on."""

    STEP = "step"  # the scenario says so
    PERSON = "person"  # the visitor asked for a person
    LOOP = "loop"  # the scenario runs in a circle
    NO_WAY = "no_way"  # the scenario leads nowhere


@dataclass(frozen=True, slots=True)
class State:
    """Where a conversation is in its scenario. ``tries`` counts invalid answers to this step,
    ``passed`` are the steps entered since the visitor's last words, ``said``; ``values`` are the
    answers and data by name."""

    step: str = ""
    waits: Waits = Waits.BEGINNING
    tries: int = 0
    is_asked: bool = False  # people were asked for outside a step
    passed: tuple[str, ...] = ()
    said: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "waits": self.waits.value,
            "tries": self.tries,
            "is_asked": self.is_asked,
            "passed": list(self.passed),
            "said": self.said,
            "values": dict(self.values),
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> State:
        return cls(
            step=data["step"],
            waits=Waits(data["waits"]),
            tries=data["tries"],
            is_asked=data["is_asked"],
            passed=tuple(data["passed"]),
            said=data.get("said", ""),  # states from before the knowledge have none
            values=dict(data["values"]),
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions can ask, at the moment of an event. ``is_open``, ``places`` and ``agents``
    are by the name of a rule, the conversation's own under the empty name."""

    language: str = ""
    page: str = ""
    visitor: Mapping[str, Value] = field(default_factory=dict)
    data: Mapping[str, Value] = field(default_factory=dict)
    is_open: Mapping[str, bool] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Began:
    """The conversation began. The visitor's first message is not an answer to anything yet."""

    facts: Facts
    text: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """The visitor wrote or pressed a choice; a file alone has no text."""

    facts: Facts
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """The HTTP call of ``step`` ended; ``values`` is None if it failed."""

    facts: Facts
    step: str
    values: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Quote:
    """A passage of an article, as it is written there, and its source (B23)."""

    text: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Phrased:
    """An answer in sentences made from articles, each with the numbers of its ``sources``, from 1
    on. The texts of the sources are not read."""

    sentences: tuple[tuple[str, tuple[int, ...]], ...]
    sources: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The knowledge was asked for ``step``; ``quote`` is None if it has no answer. ``phrased`` is
    said instead, if the website's language model has phrased one."""

    facts: Facts
    step: str
    quote: Quote | None
    phrased: Phrased | None = None


@dataclass(frozen=True, slots=True)
class NoRoom:
    """People were asked to take over, and none has room."""

    facts: Facts


Event = Began | Said | Called | Found | NoRoom


@dataclass(frozen=True, slots=True)
class Enter:
    """A step was entered (for the figures)."""

    step: str


@dataclass(frozen=True, slots=True)
class Send:
    """Write to the visitor. ``cards`` are as ``rich_content`` takes them."""

    text: str
    choices: tuple[str, ...] = ()
    cards: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Require:
    """Require skills, by name, of the agent who takes over."""

    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Make an HTTP call; its end is a ``Called``. ``paths`` are those of the wanted values by
    name."""

    step: str
    method: str
    url: str
    body: Mapping[str, str]
    seconds: int
    paths: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AskKnowledge:
    """Look for an answer in the website's public articles; its end is a ``Found``."""

    step: str
    question: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """Pass on to people, by the rule of this name (empty: the conversation's own). ``tells`` is
    whether the product informs the visitor if there is no room: the scenario has no way of its
    own."""

    rule: str
    text: str
    reason: Reason
    summary: bool = False
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Close:
    """End the conversation."""


@dataclass(frozen=True, slots=True)
class Stay:
    """There is no room: wait for it."""


Action = Enter | Send | Require | Call | AskKnowledge | Escalate | Close | Stay
