"""A slow second engine: it plays a conversation again from its beginning at each event.

Written apart from ``routing.bots.engine`` and differently: it stores nothing between events, and
follows one step at a time by recursion. Both must do the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from routing.bots import answers
from routing.bots.filling import fill
from routing.bots.people_words import PERSON_WORDS
from routing.bots.plays import (
    AskKnowledge,
    Began,
    Call,
    Called,
    Close,
    Enter,
    Escalate,
    Event,
    Facts,
    Found,
    NoRoom,
    Reason,
    Said,
    Send,
    Stay,
)
from routing.bots.scenario import Scenario
from routing.targeting import Condition


@dataclass
class Play:
    plan: Scenario
    at: dict[str, Any] | None = None
    asked_people: bool = False
    has_begun: bool = False
    is_over: bool = False
    wrong: int = 0
    last_words: str = ""
    since_word: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    done: list[Any] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)

    def kind(self) -> str:
        return "people" if self.asked_people else self.at["kind"] if self.at else ""

    def text(self, texts: dict[str, str]) -> str:
        return fill(self.plan.text(texts, self.facts.language), self.values, self.facts).strip()

    def take(self, event: Event) -> None:
        self.done, self.facts = [], event.facts
        if self.is_over or isinstance(event, Began) == self.has_begun:
            return
        self.has_begun = True
        if isinstance(event, Began | Said):
            self.since_word = set()
            self.last_words = event.text if event.text else self.last_words
        if isinstance(event, Began):
            if self.is_call_for_people(event.text):
                return self.people(Reason.PERSON)
            return self.go(self.plan.start)
        if isinstance(event, Said):
            return self.hear(event.text)
        if isinstance(event, Called) and self.kind() == "call" and self.at["id"] == event.step:
            if event.values is None:
                return self.go(self.at["failed"])
            if "x" in event.values:
                self.values["x"] = event.values["x"]
            return self.go(self.at["next"])
        if isinstance(event, Found) and self.kind() == "knowledge" and self.at["id"] == event.step:
            if not event.quote or "" in (event.quote.text, event.quote.title, event.quote.url):
                return self.go(self.at["failed"])
            quote = event.quote
            self.done.append(Send(f"“{quote.text}”\n\n{quote.title}\n{quote.url}"))
            return self.go(self.at["next"])
        if isinstance(event, NoRoom):
            if self.kind() == "escalate" and self.at.get("no_room"):
                return self.go(self.at["no_room"])
            if self.kind() in ("escalate", "people"):
                self.done.append(Stay())
        return None

    def is_call_for_people(self, text: str) -> bool:
        return any(answers.has_any(text, words) for words in PERSON_WORDS.values())

    def hear(self, text: str) -> None:
        here = self.at if self.kind() == "ask" else None
        value = answers.parse(here, text) if here else None
        if here and here["answer"] == "choice" and value is not None:
            chosen = here["choices"][int(value)]
            if "name" in here:
                self.values[here["name"]] = self.plan.text(chosen["text"], self.facts.language)
            return self.go(chosen["next"])
        if self.is_call_for_people(text):
            return self.people(Reason.PERSON)
        match self.kind():
            case "people":
                return self.people(Reason.PERSON)
            case "escalate":
                return self.pass_on()
            case "call" | "knowledge":
                return None
        assert here
        if value is not None:
            self.values[here["name"]] = value
            return self.go(here["next"])
        self.wrong += 1
        if self.wrong == here["tries"]:
            return self.go(here["failed"])
        return self.question()

    def go(self, name: str) -> None:
        here = self.plan.steps.get(name)
        if not here:
            return self.people(Reason.NO_WAY)
        if name in self.since_word:
            return self.people(Reason.LOOP)
        self.since_word.add(name)
        self.at, self.asked_people, self.wrong = here, False, 0
        self.done.append(Enter(name))
        match here["kind"]:
            case "say":
                if self.text(here["text"]):
                    self.done.append(Send(self.text(here["text"])))
                return self.go(here["next"])
            case "ask":
                return self.question()
            case "condition":
                fitting = [one["next"] for one in here["branches"] if self.holds(one)]
                return self.go([*fitting, here["otherwise"]][0])
            case "set":
                self.values["x"] = "1"
                return self.go(here["next"])
            case "knowledge":
                self.done.append(AskKnowledge(name, self.last_words))
            case "call":
                url = fill(here["url"], self.values, self.facts, is_url=True)
                self.done.append(Call(name, "GET", url, {}, 5, here["answers"]))
            case "escalate":
                return self.pass_on()
            case "close":
                if self.text(here["text"]):
                    self.done.append(Send(self.text(here["text"])))
                self.done.append(Close())
                self.is_over = True
        return None

    def question(self) -> None:
        offered = [choice["text"]["en"] for choice in self.at.get("choices", [])]
        self.done.append(Send(self.text(self.at["text"]), tuple(offered)))

    def pass_on(self) -> None:
        has_way = bool(self.at.get("no_room"))
        self.done.append(Escalate("", "", Reason.STEP, summary=True, tells=not has_way))

    def people(self, reason: Reason) -> None:
        self.asked_people = True
        self.done.append(Escalate("", "", reason, summary=True))

    def holds(self, branch: dict[str, Any]) -> bool:
        found: dict[str, Any] = {
            "answer": self.values,
            "data": dict(self.facts.data) | self.values,
            "hours": dict(self.facts.is_open),
            "language": {"language": self.facts.language},
        }[branch["source"]]
        name = "language" if branch["source"] == "language" else branch["name"]
        return Condition(name, branch["operator"], branch["value"]).holds(found)


def played(plan: Scenario, events: list[Event]) -> list[Any]:
    """Return the actions after the last of ``events``."""
    play = Play(plan)
    for event in events:
        play.take(event)
    return play.done
