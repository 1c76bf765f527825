"""The engine of scenarios: ``advance(scenario, state, event)`` returns the next state and actions.

A pure function, without database, clock or network. It always ends: without a visitor's word no
step is entered twice, and a scenario that tries to, or that leads nowhere, passes the visitor on to
people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from routing.bots import answers, quoting, scenario
from routing.bots.filling import fill
from routing.bots.people_words import PERSON_WORDS
from routing.bots.plays import (
    Action,
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
    Require,
    Said,
    Send,
    State,
    Stay,
    Waits,
)
from routing.bots.scenario import DEFAULT_TRIES, Scenario, Step, Texts
from routing.targeting import Condition, Value

TEXT_LIMIT = 4000
SAID_LIMIT = 1000  # of the visitor's last words, for the knowledge
VALUES_LIMIT = 100  # names

Result = tuple[State, tuple[Action, ...]]


def advance(plan: Scenario, state: State, event: Event) -> Result:
    """Return the state after ``event``, and what to do, in this order.

    An event that comes too late (a call that nobody waits for any more) changes nothing.
    """
    if state.waits == Waits.NOTHING:
        return state, ()
    match event:
        case Began() if state.waits == Waits.BEGINNING:
            state = replace(state, said=event.text[:SAID_LIMIT])
            if wants_person(plan, event.text):
                return _ask_people(plan, replace(state, passed=()), event.facts, Reason.PERSON)
            return _walk(plan, replace(state, passed=()), plan.start, event.facts)
        case Said() if state.waits != Waits.BEGINNING:
            said = event.text[:SAID_LIMIT] or state.said  # a file has no text
            return _said(plan, replace(state, passed=(), said=said), event)
        case Called() if _waits_for(plan, state, event.step, scenario.CALL):
            return _called(plan, state, event)
        case Found() if _waits_for(plan, state, event.step, scenario.KNOWLEDGE):
            return _found(plan, state, event)
        case NoRoom() if state.waits == Waits.ROOM:
            step = plan.steps.get(state.step, {})
            if state.is_asked or not step.get("no_room"):
                return state, (Stay(),)
            return _walk(plan, state, step["no_room"], event.facts)
    return state, ()


def _waits_for(plan: Scenario, state: State, step_id: str, kind: str) -> bool:
    """Return whether this step, of this kind, waits for something that the product does."""
    step = plan.steps.get(step_id)
    is_here = state.waits == Waits.CALL and state.step == step_id
    return is_here and step is not None and step["kind"] == kind


def wants_person(plan: Scenario, text: str) -> bool:
    """Return whether a visitor's text asks for a person, in any language."""
    own = [word for words in plan.people.get("words", {}).values() for word in words]
    builtin = [word for words in PERSON_WORDS.values() for word in words]
    return answers.has_any(text, [*builtin, *own])


def _said(plan: Scenario, state: State, event: Said) -> Result:
    step = plan.steps.get(state.step)
    value = None
    if step is not None and step["kind"] == scenario.ASK and state.waits == Waits.ANSWER:
        value = answers.parse(step, event.text)
    is_choice = value is not None and step is not None and step["answer"] == scenario.CHOICE
    # A choice may be called "Talk to an agent", and leads where the scenario says.
    if not is_choice and wants_person(plan, event.text):
        return _ask_people(plan, state, event.facts, Reason.PERSON)
    if state.waits == Waits.ROOM:
        return _again(plan, state, event.facts)
    if state.waits == Waits.CALL:
        return state, ()  # They may go on when it has ended.
    if step is None or step["kind"] != scenario.ASK:
        return _ask_people(plan, state, event.facts, Reason.NO_WAY)
    return _answer(plan, state, step, event.facts, value)


def _answer(plan: Scenario, state: State, step: Step, facts: Facts, value: str | None) -> Result:
    """Go on after an answer; ask again if it is not valid, as often as the step allows."""
    if value is None:
        state = replace(state, tries=state.tries + 1)
        if state.tries >= step.get("tries", DEFAULT_TRIES):
            return _walk(plan, state, step.get("failed", ""), facts)
        retry = step.get("retry") or step["text"]
        return state, (_question(plan, step, retry, state, facts),)
    following = step.get("next", "")
    if step["answer"] == scenario.CHOICE:
        choice = step["choices"][int(value)]
        value, following = plan.text(choice["text"], facts.language), choice["next"]
    if step.get("name"):
        state = replace(state, values=_merged(state.values, {step["name"]: value}))
    return _walk(plan, state, following, facts)


def _called(plan: Scenario, state: State, event: Called) -> Result:
    step = plan.steps[state.step]
    if event.values is None:
        return _walk(plan, state, step["failed"], event.facts)
    wanted = {name: event.values[name] for name in step.get("answers", {}) if name in event.values}
    state = replace(state, values=_merged(state.values, wanted))
    return _walk(plan, state, step["next"], event.facts)


def _found(plan: Scenario, state: State, event: Found) -> Result:
    """Say the answer with its source; without a source there is none, and the scenario goes its
    other way (B23)."""
    step, text = plan.steps[state.step], quoting.message_of(event)
    if not text:
        return _walk(plan, state, step["failed"], event.facts)
    state, actions = _walk(plan, state, step["next"], event.facts)
    return state, (Send(text), *actions)


def _walk(plan: Scenario, state: State, step_id: str, facts: Facts) -> Result:
    """Enter steps, from ``step_id`` on, until one waits or ends."""
    steps = plan.steps
    actions: list[Action] = []
    while True:
        step = steps.get(step_id)
        if step is None or step_id in state.passed:
            reason = Reason.NO_WAY if step is None else Reason.LOOP
            state, more = _ask_people(plan, state, facts, reason)
            return state, (*actions, *more)
        state = replace(
            state, step=step_id, tries=0, is_asked=False, passed=(*state.passed, step_id)
        )
        actions.append(Enter(step_id))
        match step["kind"]:
            case "ask":
                actions.append(_question(plan, step, step["text"], state, facts))
                return replace(state, waits=Waits.ANSWER), tuple(actions)
            case "call":
                actions.append(_call(step, state, facts))
                return replace(state, waits=Waits.CALL), tuple(actions)
            case "knowledge":
                actions.append(AskKnowledge(step_id, state.said))
                return replace(state, waits=Waits.CALL), tuple(actions)
            case "escalate":
                actions.append(_escalate(plan, step, state, facts))
                return replace(state, waits=Waits.ROOM), tuple(actions)
            case "close":
                if text := _filled(plan, step.get("text", {}), state, facts):
                    actions.append(Send(text))
                return replace(state, waits=Waits.NOTHING), (*actions, Close())
            case _:
                state, step_id, done = _pass(plan, step, state, facts)
                actions += done


def _pass(
    plan: Scenario, step: Step, state: State, facts: Facts
) -> tuple[State, str, list[Action]]:
    """Do what a step does that waits for nothing; return the state, the next step and actions."""
    match step["kind"]:
        case "say":
            text = _filled(plan, step["text"], state, facts)
            return state, step["next"], [Send(text)] if text else []
        case "cards":
            cards = tuple(_card(plan, card, state, facts) for card in step["cards"])
            text = _filled(plan, step.get("text", {}), state, facts)
            return state, step["next"], [Send(text, cards=cards)]
        case "condition":
            holding = (one for one in step["branches"] if _holds(one, state, facts))
            branch = next(holding, None)
            return state, branch["next"] if branch else step["otherwise"], []
        case _:  # set
            given = {
                name: fill(value, state.values, facts)[: answers.LIMIT]
                for name, value in step.get("data", {}).items()
            }
            skills = tuple(step.get("skills", ()))
            state = replace(state, values=_merged(state.values, given))
            return state, step["next"], [Require(skills)] if skills else []


def _ask_people(plan: Scenario, state: State, facts: Facts, reason: Reason) -> Result:
    """Pass on outside any step of the scenario, as its ``people`` say."""
    people = plan.people
    text = _filled(plan, people.get("text", {}), state, facts)
    action = Escalate(people.get("rule", ""), text, reason, summary=True)
    return replace(state, waits=Waits.ROOM, is_asked=True), (action,)


def _again(plan: Scenario, state: State, facts: Facts) -> Result:
    """The visitor writes while no one has room: ask people once more."""
    step = plan.steps.get(state.step)
    if state.is_asked or step is None:
        return _ask_people(plan, state, facts, Reason.PERSON)
    return state, (_escalate(plan, step, state, facts),)


def _escalate(plan: Scenario, step: Step, state: State, facts: Facts) -> Escalate:
    return Escalate(
        rule=step.get("rule", ""),
        text=_filled(plan, step.get("text", {}), state, facts),
        reason=Reason.STEP,
        summary=step.get("summary", True),
        tells=not step.get("no_room"),
    )


def _question(plan: Scenario, step: Step, texts: Texts, state: State, facts: Facts) -> Send:
    offered = step.get("choices", ()) if step["answer"] == scenario.CHOICE else ()
    choices = (plan.text(choice["text"], facts.language) for choice in offered)
    return Send(_filled(plan, texts, state, facts), tuple(filter(None, choices)))


def _card(plan: Scenario, card: Mapping[str, Any], state: State, facts: Facts) -> dict[str, Any]:
    def text(texts: Texts, limit: int) -> str:
        return _filled(plan, texts, state, facts)[:limit]

    return {
        "title": text(card["title"], 100),
        "text": text(card.get("text", {}), 400),
        "image": card.get("image", ""),
        "links": [
            {"text": text(link["text"], 40), "url": link["url"]} for link in card.get("links", ())
        ],
    }


def _call(step: Step, state: State, facts: Facts) -> Call:
    return Call(
        step=step["id"],
        method=step.get("method", "GET"),
        url=fill(step["url"], state.values, facts, is_url=True),
        body={
            name: fill(value, state.values, facts) for name, value in step.get("body", {}).items()
        },
        seconds=step.get("seconds", 5),
        paths=dict(step.get("answers", {})),
    )


def _holds(branch: Mapping[str, Any], state: State, facts: Facts) -> bool:
    name = branch.get("name", "")
    values: Mapping[str, Value]
    match branch["source"]:
        case "answer":
            values = state.values
        case "data":
            values = {**facts.data, **state.values}
        case "visitor":
            values = facts.visitor
        case "page":
            name, values = "page", {"page": facts.page}
        case "language":
            name, values = "language", {"language": facts.language}
        case "hours":
            values = facts.is_open
        case "places":
            values = {rule: float(n) for rule, n in facts.places.items()}
        case _:
            values = {rule: float(n) for rule, n in facts.agents.items()}
    return Condition(name, branch["operator"], branch.get("value", "")).holds(values)


def _filled(plan: Scenario, texts: Texts, state: State, facts: Facts) -> str:
    text = fill(plan.text(texts, facts.language), state.values, facts).strip()
    return text[:TEXT_LIMIT]


def _merged(values: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return ``values`` with ``more``; beyond the limit new names are dropped."""
    merged = dict(values)
    for name, value in more.items():
        if name in merged or len(merged) < VALUES_LIMIT:
            merged[name] = value
    return merged
