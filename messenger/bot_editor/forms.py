"""The form of one step: its fields as data, and the step that was entered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from routing.bots import scenario
from routing.bots.differences import name_of
from routing.bots.layout import reading_order
from routing.bots.scenario import Scenario, Step

KINDS = {
    scenario.SAY: gettext_lazy("Say something"),
    scenario.ASK: gettext_lazy("Ask a question"),
    scenario.CARDS: gettext_lazy("Show cards"),
    scenario.CONDITION: gettext_lazy("Choose by a condition"),
    scenario.SET: gettext_lazy("Set values and skills"),
    scenario.KNOWLEDGE: gettext_lazy("Ask the knowledge"),
    scenario.CALL: gettext_lazy("Call an HTTP address"),
    scenario.ESCALATE: gettext_lazy("Pass on to people"),
    scenario.CLOSE: gettext_lazy("End the conversation"),
}
ANSWERS = {
    "choice": gettext_lazy("Choices"),
    "text": gettext_lazy("Free text"),
    "email": gettext_lazy("E-mail address"),
    "phone": gettext_lazy("Phone number"),
    "number": gettext_lazy("Number"),
    "date": gettext_lazy("Date"),
    "pattern": gettext_lazy("Code, such as an order number"),
}
SOURCES = {
    "answer": gettext_lazy("Answer or value"),
    "data": gettext_lazy("Custom data"),
    "visitor": gettext_lazy("Visitor"),
    "page": gettext_lazy("Address of the page"),
    "language": gettext_lazy("Language"),
    "hours": gettext_lazy("Opening hours of the rule"),
    "places": gettext_lazy("Free places of the rule"),
    "agents": gettext_lazy("Free agents of the rule"),
}
OPERATORS = {
    "is": gettext_lazy("is"),
    "is_not": gettext_lazy("is not"),
    "contains": gettext_lazy("contains"),
    "at_least": gettext_lazy("is at least"),
    "at_most": gettext_lazy("is at most"),
    "known": gettext_lazy("is known"),
    "unknown": gettext_lazy("is not known"),
}
LINKS = 3  # of a card
SPARE = 2  # empty rows for further choices and branches


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the page. ``kind`` is text, area, number, select or tick."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    lang: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together, with a heading or without."""

    fields: tuple[Field, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class StepForm:
    """The form of ``step``, which is part of ``plan``."""

    plan: Scenario
    step: Step
    languages: tuple[str, ...]
    rules: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    sections: tuple[Section, ...] = field(default=(), compare=False)

    def shown(self) -> list[Section]:
        """Return the sections of the form, in the order of the page."""
        named = Field("title", _("Name of the step"), str(self.step.get("title", "")))
        makers: dict[str, Callable[[], Iterator[Section]]] = {
            scenario.SAY: self._say,
            scenario.ASK: self._ask,
            scenario.CARDS: self._cards,
            scenario.CONDITION: self._condition,
            scenario.SET: self._set,
            scenario.KNOWLEDGE: self._knowledge,
            scenario.CALL: self._call,
            scenario.ESCALATE: self._escalate,
            scenario.CLOSE: self._say_goodbye,
        }
        return [Section((named,)), *makers[self.step["kind"]]()]

    def _texts(
        self, name: str, label: str, texts: Mapping[str, str], kind: str = "area"
    ) -> list[Field]:
        return [
            Field(
                f"{name}_{code}",
                _named(label, code),
                texts.get(code, ""),
                kind,
                lang=code,
            )
            for code in self.languages
        ]

    def _way(self, name: str, label: str, value: str) -> Field:
        steps = [(step, name_of(self.plan, step)) for step in reading_order(self.plan)]
        return Field(name, label, value, "select", (("", _("— not decided —")), *steps))

    def _say(self) -> Iterator[Section]:
        yield Section(tuple(self._texts("text", _("Text"), self.step["text"])))
        yield Section((self._way("next", _("Next step"), self.step["next"]),))

    def _say_goodbye(self) -> Iterator[Section]:
        yield Section(tuple(self._texts("text", _("Last message"), self.step.get("text", {}))))

    def _ask(self) -> Iterator[Section]:
        step = self.step
        yield Section(tuple(self._texts("text", _("Question"), step["text"])))
        kinds = tuple((key, str(label)) for key, label in ANSWERS.items())
        asked = [Field("answer", _("Kind of answer"), step["answer"], "select", kinds)]
        asked.append(
            Field(
                "name",
                _("Save the answer as"),
                step.get("name", ""),
                help=_("A name such as order. Texts can use it: {order}."),
            )
        )
        yield Section(tuple(asked))
        if step["answer"] == scenario.CHOICE:
            choices = [*step.get("choices", ()), *[{"text": {}, "next": ""}] * SPARE][:8]
            for number, choice in enumerate(choices):
                texts = self._texts(f"choice_{number}", _("Text"), choice["text"], "text")
                way = self._way(f"choice_{number}_next", _("Next step"), choice["next"])
                yield Section((*texts, way), _("Choice {n}").format(n=number + 1))
        else:
            yield Section((self._way("next", _("Next step"), step.get("next", "")),))
        yield Section(tuple(self._of_failure()), _("Invalid answers"))

    def _of_failure(self) -> list[Field]:
        step, fields = self.step, []
        if step["answer"] == scenario.PATTERN:
            help_text = _("# is a digit, @ a letter, * either: CM-####.")
            fields.append(
                Field("pattern", _("Form of the code"), step.get("pattern", ""), help=help_text)
            )
        if step["answer"] == scenario.NUMBER:
            fields.append(Field("least", _("Smallest number"), str(step.get("least", ""))))
            fields.append(Field("most", _("Largest number"), str(step.get("most", ""))))
        fields += self._texts("retry", _("Text after an invalid answer"), step.get("retry", {}))
        tries = str(step.get("tries", scenario.DEFAULT_TRIES))
        fields.append(Field("tries", _("Number of tries"), tries, "number"))
        fields.append(self._way("failed", _("If this fails"), step.get("failed", "")))
        return fields

    def _cards(self) -> Iterator[Section]:
        step = self.step
        yield Section(tuple(self._texts("text", _("Text above the cards"), step.get("text", {}))))
        for number, card in enumerate([*step["cards"], {"title": {}}][:6]):
            fields = [
                *self._texts(f"card_{number}_title", _("Title"), card["title"], "text"),
                *self._texts(f"card_{number}_text", _("Text"), card.get("text", {})),
                Field(f"card_{number}_image", _("Address of a picture"), card.get("image", "")),
                *self._links(f"card_{number}_link", card.get("links", ())),
            ]
            yield Section(tuple(fields), _("Card {n}").format(n=number + 1))
        yield Section((self._way("next", _("Next step"), step["next"]),))

    def _links(self, name: str, links: Sequence[Mapping[str, Any]]) -> Iterator[Field]:
        """Yield the fields of a card's links, and of one more as long as there may be one."""
        for number, link in enumerate([*links, {"text": {}, "url": ""}][:LINKS], start=1):
            label = _("Text of link {n}").format(n=number)
            yield from self._texts(f"{name}_{number}", label, link["text"], "text")
            address = _("Address of link {n}").format(n=number)
            yield Field(f"{name}_{number}_url", address, link["url"])

    def _condition(self) -> Iterator[Section]:
        sources = tuple((key, str(label)) for key, label in SOURCES.items())
        operators = tuple((key, str(label)) for key, label in OPERATORS.items())
        spare = {"source": "answer", "operator": "is", "next": ""}
        for number, branch in enumerate([*self.step["branches"], spare][:10]):
            is_spare = number >= len(self.step["branches"])
            choices = (("", _("— none —")), *sources) if is_spare else sources
            source = "" if is_spare else branch["source"]
            fields = (
                Field(f"branch_{number}_source", _("If"), source, "select", choices),
                Field(
                    f"branch_{number}_name",
                    _("Name"),
                    branch.get("name", ""),
                    help=_("The name of the answer or data, or of the rule."),
                ),
                Field(
                    f"branch_{number}_operator",
                    _("Comparison"),
                    branch["operator"],
                    "select",
                    operators,
                ),
                Field(f"branch_{number}_value", _("Value"), branch.get("value", "")),
                self._way(f"branch_{number}_next", _("Next step"), branch["next"]),
            )
            yield Section(fields, _("Branch {n}").format(n=number + 1))
        yield Section((self._way("otherwise", _("Otherwise"), self.step["otherwise"]),))

    def _set(self) -> Iterator[Section]:
        help_text = _("One line for each value: name = value.")
        values = _lines(self.step.get("data", {}))
        yield Section((Field("data", _("Values"), values, "area", help=help_text),))
        required = self.step.get("skills", ())
        ticks = tuple(
            Field(f"skill_{number}", skill, "on" if skill in required else "", "tick")
            for number, skill in enumerate(self.skills)
        )
        if ticks:
            yield Section(ticks, _("Required skills"))
        yield Section((self._way("next", _("Next step"), self.step["next"]),))

    def _knowledge(self) -> Iterator[Section]:
        yield Section(
            (
                self._way("next", _("If it answers"), self.step["next"]),
                self._way("failed", _("If it has no answer"), self.step["failed"]),
            )
        )

    def _call(self) -> Iterator[Section]:
        step = self.step
        methods = (("GET", "GET"), ("POST", "POST"))
        yield Section(
            (
                Field("method", _("Method"), step.get("method", "GET"), "select", methods),
                Field(
                    "url",
                    _("Address"),
                    step["url"],
                    help=_("May contain answers, but not in the server: …/orders/{order}"),
                ),
                Field(
                    "body",
                    _("Values to send (POST)"),
                    _lines(step.get("body", {})),
                    "area",
                    help=_("One line for each value: name = value."),
                ),
                Field("seconds", _("Time limit (seconds)"), str(step.get("seconds", 5)), "number"),
                Field(
                    "answers",
                    _("Values to take from the answer"),
                    _lines(step.get("answers", {})),
                    "area",
                    help=_("One line for each value: status = order.status"),
                ),
            )
        )
        yield Section(
            (
                self._way("next", _("Next step"), step["next"]),
                self._way("failed", _("If this fails"), step["failed"]),
            )
        )

    def _escalate(self) -> Iterator[Section]:
        step = self.step
        rules = (("", _("The conversation’s own rule")), *((rule, rule) for rule in self.rules))
        yield Section(
            (
                Field("rule", _("Distribution rule"), step.get("rule", ""), "select", rules),
                *self._texts("text", _("Message to the visitor"), step.get("text", {})),
                self._way("no_room", _("If there is no room"), step.get("no_room", "")),
            )
        )


@dataclass(frozen=True, slots=True)
class PeopleForm:
    """The form of what happens when a visitor asks for a person, at any step."""

    plan: Scenario
    languages: tuple[str, ...]
    rules: tuple[str, ...] = ()

    def shown(self) -> list[Section]:
        """Return the sections of the form, in the order of the page."""
        people = self.plan.people
        rules = (("", _("The conversation’s own rule")), *((rule, rule) for rule in self.rules))
        words = people.get("words", {})
        texts = people.get("text", {})
        told = _("One on each line, besides the built-in ones.")
        return [
            Section(
                (
                    Field("rule", _("Distribution rule"), people.get("rule", ""), "select", rules),
                    *(
                        Field(
                            f"text_{code}",
                            _named(_("Message to the visitor"), code),
                            texts.get(code, ""),
                            "area",
                            lang=code,
                        )
                        for code in self.languages
                    ),
                    *(
                        Field(
                            f"words_{code}",
                            _named(_("Words that ask for a person"), code),
                            "\n".join(words.get(code, ())),
                            "area",
                            lang=code,
                            help=told,
                        )
                        for code in self.languages
                    ),
                )
            )
        ]


def _named(label: str, code: str) -> str:
    return f"{label} ({get_language_info(code)['name_translated']})"


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in values.items())
