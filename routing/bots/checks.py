"""What stops the publication of a scenario (B22): a pure function of the scenario and its website.

It finds dead ends, steps that nothing reaches, circles without an exit, escalations that can never
find room, and texts that miss a language. ``problem_texts`` phrases what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from routing.bots import scenario
from routing.bots.answers import fold
from routing.bots.filling import NAME
from routing.bots.scenario import Scenario, Step, ways

OPERATORS_WITHOUT_VALUE = ("known", "unknown")
VISITOR_NAMES = frozenset({"name", "device", "returning", "known"})


class Kind(StrEnum):
    """What is wrong with a scenario or one of its steps."""

    NO_START = "no_start"
    DEAD_END = "dead_end"
    UNREACHABLE = "unreachable"
    LOOP = "loop"  # a circle in which nothing waits for the visitor
    NO_END = "no_end"  # a circle of questions that no way leaves
    NO_ROOM = "no_room"
    UNKNOWN_RULE = "unknown_rule"
    UNKNOWN_SKILL = "unknown_skill"
    UNKNOWN_NAME = "unknown_name"
    NO_TEXT = "no_text"
    MISSING_LANGUAGE = "missing_language"
    SAME_CHOICES = "same_choices"
    NO_CHOICES = "no_choices"
    NO_PATTERN = "no_pattern"
    FOREIGN_IMAGE = "foreign_image"
    BAD_ADDRESS = "bad_address"
    KNOWLEDGE = "knowledge"


WARNINGS = frozenset({Kind.MISSING_LANGUAGE})
"""These are shown and do not stop the publication: another language is used instead."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding. ``step`` is the id of a step, empty for the whole scenario; ``detail`` names what
    is concerned: a field, a rule, a language, the steps of a circle."""

    kind: Kind
    step: str = ""
    detail: str = ""

    @property
    def is_warning(self) -> bool:
        return self.kind in WARNINGS


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The website as the scenario meets it. ``rules`` are whether each rule, by name, can ever
    find room for a conversation; the empty name stands for the rules that use this bot."""

    languages: tuple[str, ...] = ()
    rules: Mapping[str, bool] = field(default_factory=dict)
    skills: frozenset[str] = frozenset()
    may_show: Callable[[str], bool] = lambda url: True  # may a card show this image?
    has_knowledge: bool = False


def find_problems(plan: Scenario, around: Surroundings) -> list[Problem]:
    """Return what is wrong, in the order of the steps."""
    problems = [*_of_graph(plan), *_of_people(plan, around)]
    known = _names(plan)
    for step in plan.steps.values():
        problems += _of_texts(step, around)
        problems += _of_question(step)
        problems += _of_names(step, known)
        problems += _of_place(step, around)
    order = {step: number for number, step in enumerate(plan.steps)}
    return sorted(problems, key=lambda one: order.get(one.step, -1))


def graph(plan: Scenario) -> dict[str, list[str]]:
    """Return the steps that follow each step, without ways that lead nowhere."""
    steps = plan.steps
    return {
        name: list(dict.fromkeys(way.to for way in ways(step) if way.to in steps))
        for name, step in steps.items()
    }


def reachable(edges: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    """Return the nodes that a way leads to from ``starts``, which are included."""
    reached: set[str] = set()
    left = [start for start in starts if start in edges]
    while left:
        node = left.pop()
        if node not in reached:
            reached.add(node)
            left += edges[node]
    return reached


def _of_graph(plan: Scenario) -> Iterator[Problem]:
    steps, edges = plan.steps, graph(plan)
    if plan.start not in steps:
        yield Problem(Kind.NO_START)
    for name, step in steps.items():
        for way in ways(step):
            if way.to not in steps:
                yield Problem(Kind.DEAD_END, name, way.field)
    reached = reachable(edges, [plan.start])
    for name in steps:
        if name not in reached:
            yield Problem(Kind.UNREACHABLE, name)
    yield from _circles(steps, edges, reached)


def _circles(
    steps: Mapping[str, Step], edges: Mapping[str, list[str]], reached: set[str]
) -> Iterator[Problem]:
    """Yield circles without a question, and steps from which no way leads to an end."""
    silent = {
        name: [to for to in tos if steps[to]["kind"] != scenario.ASK]
        for name, tos in edges.items()
        if steps[name]["kind"] != scenario.ASK
    }
    named: set[str] = set()
    for name in silent:
        if name in named or name not in reachable(silent, silent[name]):
            continue
        circle = [
            other
            for other in reachable(silent, silent[name])
            if name in reachable(silent, silent[other])
        ]
        named.update(circle)
        yield Problem(Kind.LOOP, name, ", ".join(one for one in steps if one in circle))
    back: dict[str, list[str]] = {name: [] for name in steps}
    for name, tos in edges.items():
        for to in tos:
            back[to].append(name)
    ends = [
        name for name, step in steps.items() if step["kind"] in (scenario.ESCALATE, scenario.CLOSE)
    ]
    # A step with a way that leads nowhere has its own problem.
    open_ends = [
        name for name, step in steps.items() if any(way.to not in steps for way in ways(step))
    ]
    ending = reachable(back, [*ends, *open_ends])
    for name in steps:
        if name in reached and name not in ending and name not in named:
            yield Problem(Kind.NO_END, name)


def _of_people(plan: Scenario, around: Surroundings) -> Iterator[Problem]:
    """A visitor can ask for a person at every step, so the scenario's rule must have room."""
    yield from _of_rule("", plan.people.get("rule", ""), around)


def _of_rule(step: str, rule: str, around: Surroundings) -> Iterator[Problem]:
    if rule not in around.rules:
        yield Problem(Kind.UNKNOWN_RULE, step, rule)
    elif not around.rules[rule]:
        yield Problem(Kind.NO_ROOM, step, rule)


def _of_texts(step: Step, around: Surroundings) -> Iterator[Problem]:
    for path, texts in scenario.texts_of(step):
        given = [language for language, text in texts.items() if text.strip()]
        is_required = path != "retry" and not (
            path == "text" and step["kind"] in ("cards", "escalate", "close")
        )
        if not given:
            if is_required and not path.endswith("/text"):
                yield Problem(Kind.NO_TEXT, step["id"], path)
            continue
        for language in around.languages:
            if language not in given:
                yield Problem(Kind.MISSING_LANGUAGE, step["id"], f"{path} {language}")


def _of_question(step: Step) -> Iterator[Problem]:
    if step["kind"] != scenario.ASK:
        return
    choices = step.get("choices", ())
    if step["answer"] == scenario.CHOICE and not choices:
        yield Problem(Kind.NO_CHOICES, step["id"])
    if step["answer"] == scenario.PATTERN and not step.get("pattern", "").strip():
        yield Problem(Kind.NO_PATTERN, step["id"])
    if step["answer"] != scenario.CHOICE:
        return
    for language in sorted({code for choice in choices for code in choice["text"]}):
        labels = [fold(choice["text"].get(language, "")) for choice in choices]
        labels = [text for text in labels if text]
        if len(set(labels)) < len(labels):
            yield Problem(Kind.SAME_CHOICES, step["id"], language)


def _names(plan: Scenario) -> frozenset[str]:
    """Return the names that the scenario gives values to."""
    known: set[str] = set()
    for step in plan.steps.values():
        known |= {step["name"]} if step.get("name") else set()
        known |= set(step.get("data", {})) | set(step.get("answers", {}))
    return frozenset(known)


def _of_names(step: Step, known: frozenset[str]) -> Iterator[Problem]:
    """A condition on an answer must name one. Custom data come from the website's pages, so that
    names in texts cannot be checked."""
    for branch in step.get("branches", ()):
        name = branch.get("name", "")
        if branch["source"] == "answer" and name not in known:
            yield Problem(Kind.UNKNOWN_NAME, step["id"], name)
        if branch["source"] == "visitor" and name not in VISITOR_NAMES:
            yield Problem(Kind.UNKNOWN_NAME, step["id"], name)


def _of_place(step: Step, around: Surroundings) -> Iterator[Problem]:
    """What the step needs of the website: rules, skills, pictures, the knowledge."""
    name = step["id"]
    match step["kind"]:
        case "escalate":
            yield from _of_rule(name, step.get("rule", ""), around)
        case "condition":
            for branch in step["branches"]:
                is_of_rule = branch["source"] in ("hours", "places", "agents")
                if is_of_rule and branch.get("name", "") not in around.rules:
                    yield Problem(Kind.UNKNOWN_RULE, name, branch.get("name", ""))
        case "set":
            for skill in step.get("skills", ()):
                if skill not in around.skills:
                    yield Problem(Kind.UNKNOWN_SKILL, name, skill)
        case "knowledge" if not around.has_knowledge:
            yield Problem(Kind.KNOWLEDGE, name)
        case "call":
            if not _is_fit(step["url"]):
                yield Problem(Kind.BAD_ADDRESS, name, step["url"])
        case "cards":
            yield from _of_cards(step, around)


def _of_cards(step: Step, around: Surroundings) -> Iterator[Problem]:
    for card in step["cards"]:
        image = card.get("image", "")
        if image and not (_is_fit(image) and around.may_show(image)):
            yield Problem(Kind.FOREIGN_IMAGE, step["id"], image)
        for link in card.get("links", ()):
            if not _is_fit(link["url"]):
                yield Problem(Kind.BAD_ADDRESS, step["id"], link["url"])


def _is_fit(url: str) -> bool:
    """Return whether ``url`` is a web address whose server is not filled in from outside."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    return is_web and NAME.search(parts.netloc) is None and not any(c.isspace() for c in url)
