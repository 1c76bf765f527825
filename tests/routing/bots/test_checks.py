"""What stops the publication of a scenario (B22)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.bots.checks import Kind, Problem, Surroundings, find_problems, graph, reachable
from routing.bots.engine import advance
from routing.bots.plays import Began, Call, Called, Escalate, Facts, NoRoom, Reason, State
from routing.bots.scenario import Scenario, ways
from tests.routing.bots.scenarios import (
    ask,
    both,
    choose,
    people,
    plan,
    random_plans,
    say,
    shop,
)

AROUND = Surroundings(languages=("en", "fr"), rules={"": True, "VIP": True, "Full": False})


def kinds(*steps: dict[str, Any], around: Surroundings = AROUND, **more: Any) -> list[Problem]:
    return find_problems(plan(*steps, **more), around)


def test_a_sound_scenario_has_no_problem() -> None:
    assert find_problems(shop(), AROUND) == []


def test_each_way_to_nowhere_is_a_dead_end_with_its_field() -> None:
    found = kinds(choose("a", ("yes", ""), ("no", "gone")), people())
    assert found == [
        Problem(Kind.DEAD_END, "a", "choices/0"),
        Problem(Kind.DEAD_END, "a", "choices/1"),
    ]


def test_a_step_that_nothing_leads_to() -> None:
    assert kinds(people(), say("lost", "people")) == [Problem(Kind.UNREACHABLE, "lost")]
    assert Problem(Kind.NO_START) in kinds(people(), start="gone")


def test_a_circle_without_a_question_is_a_loop() -> None:
    found = kinds(
        choose("a", ("yes", "b"), ("no", "people")), say("b", "c"), say("c", "b"), people()
    )
    assert Problem(Kind.LOOP, "b", "b, c") in found
    assert kinds(choose("a", ("again", "b"), ("no", "people")), say("b", "a"), people()) == []


def test_a_call_that_fails_back_to_itself_is_a_loop() -> None:
    call = {"id": "c", "kind": "call", "url": "https://a.example", "next": "people", "failed": "c"}
    assert Problem(Kind.LOOP, "c", "c") in kinds(call, people())


def test_questions_that_no_way_leaves() -> None:
    found = kinds(
        choose("a", ("one", "b"), ("two", "people")),
        choose("b", ("again", "b"), failed="b"),
        people(),
    )
    assert found == [Problem(Kind.NO_END, "b")]


def test_an_escalation_that_never_finds_room() -> None:
    assert kinds(people(rule="Full")) == [Problem(Kind.NO_ROOM, "people", "Full")]
    assert kinds(people(rule="Gone")) == [Problem(Kind.UNKNOWN_RULE, "people", "Gone")]
    assert kinds(people(), people={"rule": "Full"}) == [Problem(Kind.NO_ROOM, "", "Full")]
    around = replace(AROUND, rules={"": False})
    assert {problem.step for problem in kinds(people(), around=around)} == {"", "people"}


def test_texts_missing_in_a_language_are_shown_and_do_not_stop() -> None:
    half = say("a", "people") | {"text": {"en": "Hello"}}
    (found,) = kinds(half, people())
    assert (found.kind, found.detail, found.is_warning) == (Kind.MISSING_LANGUAGE, "text fr", True)
    (found,) = kinds(say("a", "people") | {"text": {"en": " "}}, people())
    assert (found.kind, found.is_warning) == (Kind.NO_TEXT, False)


def test_choices_that_fold_to_the_same_words() -> None:
    found = kinds(choose("a", ("Évian", "people"), ("evian!", "people")), people())
    assert Problem(Kind.SAME_CHOICES, "a", "en") in found
    assert Problem(Kind.NO_CHOICES, "a", "") in kinds(choose("a"), people())


def test_what_the_website_lacks() -> None:
    given_skill = {"id": "s", "kind": "set", "skills": ["Dutch"], "next": "people"}
    assert kinds(given_skill, people()) == [Problem(Kind.UNKNOWN_SKILL, "s", "Dutch")]
    knowledge = {"id": "k", "kind": "knowledge", "next": "people", "failed": "people"}
    assert kinds(knowledge, people()) == [Problem(Kind.KNOWLEDGE, "k")]
    assert kinds(knowledge, people(), around=replace(AROUND, has_knowledge=True)) == []
    around = replace(AROUND, may_show=lambda url: "shop.example" in url)
    cards = deepcopy(shop().steps["lamps"])
    cards["next"] = "people"
    cards["cards"][0]["image"] = "https://elsewhere.example/moon.png"
    assert kinds(cards, people(), around=around) == [
        Problem(Kind.FOREIGN_IMAGE, "lamps", "https://elsewhere.example/moon.png")
    ]


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example", "https://{host}/x", "https://a.example@{x}", "//a", "https://[::1", "a b"],
)
def test_an_address_whose_server_comes_from_outside_is_refused(url: str) -> None:
    call = {"id": "c", "kind": "call", "url": url, "next": "people", "failed": "people"}
    assert kinds(call, people()) == [Problem(Kind.BAD_ADDRESS, "c", url)]


def test_a_condition_on_an_answer_that_nobody_gives() -> None:
    branch = {"source": "answer", "name": "age", "operator": "known", "next": "people"}
    condition = {"id": "c", "kind": "condition", "branches": [branch], "otherwise": "people"}
    assert kinds(condition, people()) == [Problem(Kind.UNKNOWN_NAME, "c", "age")]
    asked = ask("a", "number", "c", name="age")
    assert kinds(asked, condition, people()) == []


@settings(max_examples=300, deadline=None)
@given(random_plans(), st.data())
def test_a_scenario_without_these_problems_never_runs_in_a_circle_or_into_nowhere(
    scenario: Scenario, data: st.DataObject
) -> None:
    """The check and the engine agree: what is sound passes on only where it says so."""
    stops = {one.kind for one in find_problems(scenario, AROUND)}
    stops &= {Kind.DEAD_END, Kind.LOOP, Kind.NO_START}
    state, actions = advance(scenario, State(), Began(Facts(language="en")))
    reasons = set()
    for _ in range(8):
        reasons |= {one.reason for one in actions if isinstance(one, Escalate)}
        if isinstance(actions[-1], Call):
            values = data.draw(st.sampled_from([None, {"x": "yes"}]))
            state, actions = advance(scenario, state, Called(Facts(), state.step, values))
        elif isinstance(actions[-1], Escalate):
            state, actions = advance(scenario, state, NoRoom(Facts()))
        else:
            break
    if not stops:
        assert reasons <= {Reason.STEP}


@given(random_plans())
def test_what_is_reachable_equals_a_walk_over_all_ways(scenario: Scenario) -> None:
    steps, found, more = scenario.steps, set(), {scenario.start}
    while more - found:
        found |= more
        more = {way.to for one in found if one in steps for way in ways(steps[one])}
    assert reachable(graph(scenario), [scenario.start]) == {one for one in found if one in steps}


def test_the_languages_of_the_website_decide_what_is_missing() -> None:
    around = replace(AROUND, languages=("en", "fr", "de"))
    details = {problem.detail for problem in find_problems(shop(), around)}
    assert "text de" in details
    assert "cards/0/title de" in details
    assert both("x").keys() == {"en", "fr"}
