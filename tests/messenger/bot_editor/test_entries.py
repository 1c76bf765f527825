"""What is entered in the form of a step becomes data, whatever was typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from messenger.bot_editor.entries import entered
from messenger.bot_editor.forms import StepForm
from routing.bots import scenario
from routing.bots.scenario import Scenario

ASK = {"id": "ask", "kind": scenario.ASK, "answer": scenario.NUMBER, "choices": [], "next": "end"}
CALL = {"id": "call", "kind": scenario.CALL}
SET = {"id": "set", "kind": scenario.SET}


def enter(step: dict[str, Any], sent: str) -> dict[str, Any]:
    plan = Scenario({"steps": [step]}, ("en", "fr"))
    form = StepForm(plan, step, ("en", "fr"), skills=("English", "Returns"))
    return entered(step, QueryDict(sent), form)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("3", 3),
        ("2,5", 2.5),
        ("-1", -1),
        ("many", "many"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e999", "1e999"),
    ],
)
def test_a_limit_is_a_number_or_stays_as_typed_for_the_check(typed: str, stored: object) -> None:
    assert enter(ASK, f"least={typed}")["least"] == stored


@pytest.mark.parametrize("typed", ["", "two", "-1", "9" * 5000])
def test_tries_that_are_no_number_are_left_out(typed: str) -> None:
    assert "tries" not in enter(ASK, f"tries={typed}")
    assert enter(ASK, "tries=2")["tries"] == 2


@pytest.mark.parametrize("typed", ["", "soon", "9" * 5000])
def test_a_call_without_a_usable_number_of_seconds_waits_five(typed: str) -> None:
    assert enter(CALL, f"seconds={typed}")["seconds"] == 5
    assert enter(CALL, "seconds=9")["seconds"] == 9


def test_texts_are_trimmed_and_empty_languages_left_out() -> None:
    step = enter(ASK, "text_en=+Your+order?%0D%0AThanks+&text_fr=++&text_de=Nein")
    assert step["text"] == {"en": "Your order?\nThanks"}


def test_choices_that_the_form_does_not_show_are_not_lost() -> None:
    choices = [{"text": {"en": "Yes"}, "next": "end"}]
    assert enter(ASK | {"choices": choices}, "answer=text")["choices"] == choices
    shown = "choice_0_en=No&choice_0_next=end&choice_1_next="
    assert enter(ASK | {"choices": choices}, shown)["choices"] == [
        {"text": {"en": "No"}, "next": "end"}
    ]


def test_values_are_one_for_each_line_with_an_equals_sign() -> None:
    step = enter(SET, "data=order+=+42%0A%0Aurl=https://x.example/?a=b%0Aalone&skill_1=on")
    assert step["data"] == {"order": "42", "url": "https://x.example/?a=b", "alone": ""}
    assert step["skills"] == ["Returns"]
