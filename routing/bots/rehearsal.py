"""Playing a scenario without a conversation: the live chat of the editor, and saved tests (B22).

A pure function, by the same engine as real conversations. No HTTP call is made and nobody is asked
to take over: the rehearsal says whether calls succeed and whether there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.bots import plays
from routing.bots.engine import advance
from routing.bots.plays import (
    Began,
    Called,
    Enter,
    Event,
    Facts,
    Found,
    NoRoom,
    Quote,
    Said,
    Send,
    State,
    Waits,
)
from routing.bots.scenario import Scenario

SAID_LIMIT = 50  # messages of a rehearsal


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the visitor writes after the first message, and how the world around behaves.

    ``knowledge`` answers questions. Without one, as in saved tests, each question has an answer if
    calls succeed: what an article says today must not break a test tomorrow.
    """

    said: Sequence[str]
    language: str = ""
    has_room: bool = True
    do_calls_succeed: bool = True
    is_open: bool = True
    knowledge: Callable[[str], Quote | None] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What was written or happened. ``author`` is visitor, bot or system; ``note`` is a code of
    what happened: escalated, no_room, closed."""

    author: str
    text: str = ""
    note: str = ""
    choices: Sequence[str] = ()
    cards: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Played:
    """The result: what was written, the steps entered, and what the bot waits for at the end."""

    lines: tuple[Line, ...]
    trail: tuple[str, ...]
    waits: Waits
    values: Mapping[str, str]


def play(plan: Scenario, rehearsal: Rehearsal) -> Played:
    """Play a scenario from its beginning."""
    facts = _facts(plan, rehearsal)
    lines: list[Line] = []
    trail: list[str] = []
    state = State()
    events: list[Event] = [Began(facts)]
    events += [Said(facts, text) for text in rehearsal.said[:SAID_LIMIT]]
    for event in events:
        if isinstance(event, Said):
            lines.append(Line("visitor", event.text))
        following: Event | None = event
        while following is not None and not _is_over(lines):
            state, actions = advance(plan, state, following)
            trail += [action.step for action in actions if isinstance(action, Enter)]
            lines += [line for action in actions for line in _lines(action, rehearsal)]
            following = _answer(state, actions, facts, rehearsal)
    return Played(tuple(lines), tuple(trail), state.waits, state.values)


def _is_over(lines: list[Line]) -> bool:
    return any(line.note in ("escalated", "closed") for line in lines)


def _facts(plan: Scenario, rehearsal: Rehearsal) -> Facts:
    names = {""} | {
        branch.get("name", "")
        for step in plan.steps.values()
        for branch in step.get("branches", ())
    }
    room = 1 if rehearsal.has_room else 0
    return Facts(
        language=rehearsal.language or next(iter(plan.languages), ""),
        is_open=dict.fromkeys(names, rehearsal.is_open),
        places=dict.fromkeys(names, room),
        agents=dict.fromkeys(names, room),
    )


def _answer(
    state: State, actions: Sequence[plays.Action], facts: Facts, rehearsal: Rehearsal
) -> Event | None:
    """Return what follows by itself: the end of a call, or the news that there is no room."""
    last = actions[-1] if actions else None
    if isinstance(last, plays.Call):
        values = dict.fromkeys(last.paths, "…") if rehearsal.do_calls_succeed else None
        return Called(facts, last.step, values)
    if isinstance(last, plays.AskKnowledge):
        return Found(facts, last.step, _quote(last.question, rehearsal))
    if isinstance(last, plays.Escalate) and not rehearsal.has_room:
        return NoRoom(facts)
    return None


def _quote(question: str, rehearsal: Rehearsal) -> Quote | None:
    if rehearsal.knowledge is not None:
        return rehearsal.knowledge(question)
    return Quote("…", "…", "…") if rehearsal.do_calls_succeed else None


def _lines(action: plays.Action, rehearsal: Rehearsal) -> list[Line]:
    match action:
        case Send():
            return [Line("bot", action.text, choices=action.choices, cards=action.cards)]
        case plays.Escalate() if rehearsal.has_room:
            return [Line("system", action.text, "escalated")]
        case plays.Stay():
            return [Line("system", note="no_room")]
        case plays.Close():
            return [Line("system", note="closed")]
    return []
