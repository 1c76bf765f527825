"""Differences between versions, and changes of drafts."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.bots import editing, scenario
from routing.bots.checks import Kind, Surroundings, find_problems
from routing.bots.differences import differences
from routing.bots.problem_texts import TEXTS, describe
from routing.bots.scenario import Scenario, ways
from tests.routing.bots.scenarios import IDS, people, plan, random_plans, say, shop


def changed(change: Any) -> Scenario:
    data = deepcopy(dict(shop().data))
    change({step["id"]: step for step in data["steps"]}, data)
    return Scenario(data, shop().languages)


def test_the_same_version_has_no_differences() -> None:
    assert differences(shop(), shop()) == []


def test_differences_name_the_step_the_field_and_both_values() -> None:
    def change(steps: dict[str, Any], data: dict[str, Any]) -> None:
        steps["hello"]["text"]["en"] = "Welcome"
        steps["hello"]["title"] = "Greeting"
        steps["number"]["next"] = "people"
        del steps["topic"]["choices"][2]
        data["start"] = "topic"
        data["people"] = {"rule": "VIP"}
        data["steps"] = [step for step in data["steps"] if step["id"] != "later"]
        data["steps"].append({"id": "extra", "kind": "close"})

    assert differences(shop(), changed(change)) == [
        "The first step is now “topic”.",
        "Step “Greeting”, Text (EN): “Hello {name}” is now “Welcome”.",
        "Step “Greeting”, title: “Greeting” was added.",
        "Step “topic”, Choice 3 (EN): “Something else” was removed.",
        "Step “topic”, Choice 3 (FR): “Something else (fr)” was removed.",
        "Step “topic”, Choice 3: “people” was removed.",
        "Step “number”, Next step: “status” is now “people”.",
        "Step “extra” was added.",
        "Step “later” was deleted.",
        "What happens when a visitor asks for a person was changed.",
    ]


@given(random_plans(), random_plans())
def test_two_versions_differ_in_words_if_they_differ(one: Scenario, other: Scenario) -> None:
    assert bool(differences(one, other)) == (one.data != other.data)


@given(random_plans(), st.sampled_from(IDS), st.sampled_from(sorted(editing.BLANK)))
def test_every_change_leaves_a_valid_scenario(scenario_: Scenario, step: str, kind: str) -> None:
    before = deepcopy(scenario_.data)
    for data in (
        editing.added(scenario_, kind, after=step)[0],
        editing.duplicated(scenario_, step)[0],
        editing.removed(scenario_, step),
    ):
        scenario.check(data)
    assert scenario_.data == before  # the old one is as it was
    left = scenario.check(editing.removed(scenario_, step))
    assert step not in left.steps
    assert all(way.to != step for one in left.steps.values() for way in ways(one))


def test_a_step_is_added_behind_the_open_one_which_leads_to_it_if_it_was_undecided() -> None:
    data, new = editing.added(plan(say("a", ""), people()), "ask", after="a")
    assert [step["id"] for step in data["steps"]] == ["a", new, "people"]
    assert data["steps"][0]["next"] == new
    data, new = editing.added(plan(say("a", "people"), people()), "ask", after="a")
    assert data["steps"][0]["next"] == "people"


@pytest.mark.parametrize("kind", list(Kind))
def test_every_problem_has_words(kind: Kind) -> None:
    assert TEXTS[kind]


@given(random_plans())
def test_every_problem_found_can_be_described(scenario_: Scenario) -> None:
    for problem in find_problems(scenario_, Surroundings(languages=("en", "fr"))):
        text = describe(problem)
        assert text.endswith(".")
        assert "{" not in text.replace(problem.detail, "")
