"""Greetings with choices become scenarios that say the same, and come back."""

from __future__ import annotations

from importlib import import_module

import pytest

from routing.bots import scenario
from routing.bots.checks import Surroundings, find_problems
from routing.bots.engine import advance
from routing.bots.plays import Began, Enter, Escalate, Facts, Said, Send, State

moved = import_module("routing.migrations.0013_greetings_to_scenarios")


@pytest.mark.parametrize("choices", [[], ["Order", "Other"]])
def test_a_greeting_becomes_a_sound_scenario_and_comes_back(choices: list[str]) -> None:
    data = moved.scenario_of("What about?", choices, "en")
    plan = scenario.check(data, ("en", "fr"))
    problems = find_problems(plan, Surroundings(languages=("en",), rules={"": True}))
    assert problems == []
    state, actions = advance(plan, State(), Began(Facts(language="fr")))
    assert actions == (Enter("greeting"), Send("What about?", tuple(choices)))
    _, actions = advance(plan, state, Said(Facts(), "whatever"))
    assert isinstance(actions[-1], Escalate)
    assert moved.greeting_of(data, "en") == ("What about?", choices)
    assert moved.greeting_of({"start": "", "steps": []}, "en") == ("", [])
