"""Changes of a draft as data: adding, copying, deleting and replacing steps. Pure functions."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from routing.bots import scenario
from routing.bots.scenario import Scenario

Data = dict[str, Any]

BLANK: dict[str, Data] = {
    scenario.SAY: {"text": {}, "next": ""},
    scenario.ASK: {"text": {}, "answer": "choice", "choices": [], "next": "", "failed": ""},
    scenario.CARDS: {"cards": [{"title": {}}], "next": ""},
    scenario.CONDITION: {
        "branches": [{"source": "hours", "operator": "is", "value": "true", "next": ""}],
        "otherwise": "",
    },
    scenario.SET: {"next": ""},
    scenario.KNOWLEDGE: {"next": "", "failed": ""},
    scenario.CALL: {"url": "", "next": "", "failed": ""},
    scenario.ESCALATE: {"summary": True},
    scenario.CLOSE: {},
}


def free_id(plan: Scenario, kind: str) -> str:
    """Return an id for a new step: its kind with a number."""
    number = 1
    while f"{kind}-{number}" in plan.steps:
        number += 1
    return f"{kind}-{number}"


def added(plan: Scenario, kind: str, *, after: str = "") -> tuple[Data, str]:
    """Return the scenario with a new step, and its id. A step ``after`` which leads nowhere yet
    leads to the new one."""
    data, step_id = _copy(plan), free_id(plan, kind)
    new = {"id": step_id, "kind": kind, **deepcopy(BLANK[kind])}
    steps = data["steps"]
    place = next((n for n, one in enumerate(steps, start=1) if one["id"] == after), len(steps))
    steps.insert(place, new)
    before = next((one for one in steps if one["id"] == after), None)
    if before is not None and before.get("next") == "":
        before["next"] = step_id
    if data["start"] not in plan.steps:
        data["start"] = step_id
    return data, step_id


def duplicated(plan: Scenario, step_id: str) -> tuple[Data, str]:
    """Return the scenario with a copy of a step behind it, and the copy's id."""
    data = _copy(plan)
    steps = data["steps"]
    place = next(n for n, one in enumerate(steps) if one["id"] == step_id)
    copy = deepcopy(steps[place]) | {"id": free_id(plan, steps[place]["kind"])}
    steps.insert(place + 1, copy)
    return data, copy["id"]


def removed(plan: Scenario, step_id: str) -> Data:
    """Return the scenario without a step. Ways to it lead nowhere from now on."""
    data = _copy(plan)
    data["steps"] = [_without_way(one, step_id) for one in data["steps"] if one["id"] != step_id]
    if data["start"] == step_id:
        data["start"] = ""
    return data


def replaced(plan: Scenario, step: Data) -> Data:
    """Return the scenario with another content of a step."""
    data = _copy(plan)
    data["steps"] = [step if one["id"] == step["id"] else one for one in data["steps"]]
    return data


def _copy(plan: Scenario) -> Data:
    return deepcopy(dict(plan.data))


def _without_way(step: Data, to: str) -> Data:
    for name in ("next", "failed", "otherwise", "no_room"):
        if step.get(name) == to:
            step[name] = ""
    for part in (*step.get("choices", ()), *step.get("branches", ())):
        if part["next"] == to:
            part["next"] = ""
    return step
