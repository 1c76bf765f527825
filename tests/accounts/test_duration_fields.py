"""Form fields for durations: a number with a unit, within limits, shown in the largest unit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django import forms
from django.http import QueryDict

from accounts.duration_fields import (
    DAYS,
    HOURS,
    MINUTES,
    SECONDS,
    DurationField,
    WholeDurationField,
    split,
)


class Times(forms.Form):
    window = DurationField(
        units=(MINUTES, HOURS, DAYS), usual=DAYS, most=timedelta(days=28), required=False
    )
    release = WholeDurationField(each=60, units=(MINUTES, HOURS), required=False)


def filled(**values: str) -> Times:
    return Times(values)


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(days=4), (4, DAYS)),
        (timedelta(hours=36), (36, HOURS)),
        (timedelta(minutes=90), (90, MINUTES)),
        (timedelta(seconds=90), (1, MINUTES)),  # none of the units divides it
    ],
)
def test_a_span_is_shown_in_the_largest_unit_that_divides_it(
    span: timedelta, shown: tuple[int, int]
) -> None:
    assert split(span, (MINUTES, HOURS, DAYS)) == shown


@pytest.mark.parametrize(
    ("number", "unit", "expected"),
    [
        ("4", DAYS, timedelta(days=4)),
        ("28", DAYS, timedelta(days=28)),
        ("90", MINUTES, timedelta(minutes=90)),
    ],
)
def test_number_and_unit_make_a_span(number: str, unit: int, expected: timedelta) -> None:
    form = filled(window_0=number, window_1=str(unit))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["window"] == expected


def test_without_a_number_it_is_empty_whatever_unit_is_selected() -> None:
    form = filled(window_0="", window_1=str(DAYS), release_0="", release_1=str(HOURS))
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {"window": None, "release": None}


@pytest.mark.parametrize(
    ("number", "unit", "sentence"),
    [
        ("0", DAYS, "Enter a whole number of 1 or more."),
        ("-3", DAYS, "Enter a whole number of 1 or more."),
        ("1.5", DAYS, "Enter a whole number of 1 or more."),
        ("9999999999", DAYS, "Enter a whole number of 1 or more."),
        ("29", DAYS, "The limit is"),
        ("2000000000", DAYS, "The limit is"),  # more than a timedelta can hold
        ("3", "", "Choose a unit."),
    ],
)
def test_what_is_no_duration_is_refused_with_a_sentence(
    number: str, unit: int | str, sentence: str
) -> None:
    form = filled(window_0=number, window_1=str(unit))
    assert not form.is_valid()
    assert sentence in form.errors["window"][0]


def test_a_unit_that_is_not_offered_is_refused() -> None:
    assert not filled(window_0="3", window_1=str(SECONDS)).is_valid()


def test_a_whole_column_is_counted_in_its_own_unit() -> None:
    form = filled(release_0="2", release_1=str(HOURS))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["release"] == 120


def test_a_whole_column_is_shown_in_the_largest_unit() -> None:
    shown = str(Times(initial={"release": 120})["release"])
    assert 'value="2"' in shown
    assert f'<option value="{HOURS}" selected>' in shown


def test_what_was_not_changed_is_no_change() -> None:
    """Otherwise the record of changes would name a setting that nobody has touched."""
    same = Times({"release_0": "2", "release_1": str(HOURS)}, initial={"release": 120})
    other = Times({"release_0": "3", "release_1": str(HOURS)}, initial={"release": 120})
    assert "release" not in same.changed_data
    assert "release" in other.changed_data


def test_text_from_a_query_string_leaves_a_new_form_empty() -> None:
    query = QueryDict("window=3")
    shown = str(Times(initial=query.dict())["window"])
    assert f'<option value="{DAYS}" selected>' in shown
    assert 'value="3"' not in shown
