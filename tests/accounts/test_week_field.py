"""The week of a group in one grid: what is typed, refused and saved (C80)."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import translation

from accounts.hours import Opening, overlaps
from accounts.models import Change, Group
from accounts.models.hours import set_weekly_hours, weekly_hours
from accounts.week_field import WeekField, WeekWidget
from tests.factories import GroupFactory


def opening(day: int, opens: str, closes: str) -> Opening:
    return day, time.fromisoformat(opens), time.fromisoformat(closes)


def posted(*intervals: tuple[int, str, str]) -> Any:
    form = QueryDict(mutable=True)
    for day in range(7):
        form.update({f"week-{day}-from": "", f"week-{day}-to": ""})
    for day, opens, closes in intervals:
        form.appendlist(f"week-{day}-from", opens)
        form.appendlist(f"week-{day}-to", closes)
    return WeekWidget().value_from_datadict(form, {}, "week")


def errors_of(*intervals: tuple[int, str, str]) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        WeekField().clean(posted(*intervals))
    return refused.value.messages


@pytest.mark.parametrize(
    ("intervals", "count"),
    [
        ([(0, "09:00", "12:00"), (0, "12:00", "18:00")], 0),
        ([(0, "09:00", "12:00"), (0, "11:00", "13:00")], 1),
        ([(0, "09:00", "18:00"), (0, "09:00", "18:00")], 1),
        ([(0, "09:00", "18:00"), (0, "10:00", "11:00"), (0, "12:00", "13:00")], 2),
        ([(0, "22:00", "06:00"), (1, "06:00", "09:00")], 0),
        ([(0, "22:00", "06:00"), (1, "05:59", "09:00")], 1),
        ([(6, "22:00", "06:00"), (0, "05:00", "09:00")], 1),
        ([(0, "05:00", "09:00"), (0, "22:00", "06:00")], 0),
        ([(day, "00:00", "00:00") for day in range(7)], 0),
        ([(0, "12:00", "12:00"), (1, "11:00", "13:00")], 1),
    ],
)
def test_overlaps_are_found_across_midnight(
    intervals: list[tuple[int, str, str]], count: int
) -> None:
    week = [opening(*one) for one in intervals]
    assert len(list(overlaps(week))) == count
    assert len(list(overlaps(week[::-1]))) == count


def test_empty_pairs_are_ignored_and_intervals_are_sorted() -> None:
    week = WeekField().clean(
        posted((4, "9:00", "17:30"), (0, "14:00", "18:00"), (0, " 09:00 ", "12:00"), (2, "", ""))
    )
    assert week == (
        opening(0, "09:00", "12:00"),
        opening(0, "14:00", "18:00"),
        opening(4, "09:00", "17:30"),
    )


def test_a_form_without_a_grid_leaves_the_week_unchanged() -> None:
    week = WeekWidget().value_from_datadict(QueryDict("name=Sales"), {}, "week")
    assert week is None
    assert not WeekField().has_changed([opening(0, "09:00", "12:00")], week)
    assert WeekField().has_changed([opening(0, "09:00", "12:00")], posted())
    assert not WeekField().has_changed([opening(0, "09:00", "12:00")], posted((0, "9:00", "12:00")))


def test_errors_name_the_day() -> None:
    assert errors_of((0, "09:00", "12:00"), (0, "11:00", "13:00"), (2, "nine", "10:00")) == [
        "Wednesday: “nine” is not a time. Write it as 09:00.",
        "Monday: the intervals 09:00–12:00 and 11:00–13:00 overlap.",
    ]
    assert errors_of((3, "09:00", ""), (4, "", "18:00")) == [
        "Thursday: the interval with 09:00 needs both a start and an end.",
        "Friday: the interval with 18:00 needs both a start and an end.",
    ]
    assert errors_of((6, "22:00", "06:00"), (0, "05:00", "09:00")) == [
        "Monday: the interval 05:00–09:00 overlaps with 22:00–06:00 from Sunday."
    ]
    with translation.override("fr"):
        assert errors_of((0, "09:00", "12:00"), (0, "11:00", "13:00")) == [
            "Lundi\u00a0: les plages 09:00–12:00 et 11:00–13:00 se chevauchent."
        ]


def test_typed_hours_are_shown_again_unchanged() -> None:
    again = WeekWidget().render("week", posted((0, "9h", "<b>")))
    assert 'value="9h"' in again
    assert "&lt;b&gt;" in again
    assert again.count('class="week-time"') == 16  # seven empty pairs, and one filled
    assert 'value="23:59:59"' in WeekWidget().render("week", [opening(0, "09:00", "23:59:59")])


@pytest.mark.django_db
def test_only_changed_hours_are_written_and_recorded() -> None:
    group: Group = GroupFactory()
    before = [
        opening(0, "09:00", "12:00"),
        opening(0, "14:00", "18:00"),
        opening(1, "09:00", "17:00"),
    ]
    set_weekly_hours(group, before)
    same = group.opening_hours.get(weekday=1).pk
    seen = Change.objects.latest("pk").pk
    after = (
        opening(0, "09:00", "13:00"),
        opening(1, "09:00", "17:00"),
        opening(2, "22:00", "06:00"),
    )
    set_weekly_hours(group, after)
    assert weekly_hours(group) == after
    assert group.opening_hours.get(weekday=1).pk == same
    changes = Change.objects.filter(pk__gt=seen, model="accounts.openinghours")
    assert sorted(changes.values_list("kind", flat=True)) == ["DELETE", "INSERT", "UPDATE"]


@pytest.mark.django_db
def test_rearranged_intervals_are_saved() -> None:
    group: Group = GroupFactory()
    set_weekly_hours(group, [opening(0, "09:00", "12:00"), opening(0, "14:00", "18:00")])
    after = (opening(0, "09:00", "18:00"), opening(1, "14:00", "18:00"))
    set_weekly_hours(group, after)
    assert weekly_hours(group) == after
    set_weekly_hours(group, ())
    assert weekly_hours(group) == ()


@pytest.mark.parametrize("text", ["9", "9h", "9:00", "0900", "900", "09.00", "9h00", "09:00:00"])
def test_common_ways_to_type_a_time_are_accepted(text: str) -> None:
    assert WeekField().clean(posted((0, text, "17h30"))) == (opening(0, "09:00", "17:30"),)


@pytest.mark.parametrize("text", ["24:00", "9:60", "9 pm", "12345", "nine", "-1", "٩"])
def test_invalid_times_are_refused(text: str) -> None:
    (error,) = errors_of((0, text, "17:30"))
    assert text in error


def test_the_grid_uses_text_inputs_for_times() -> None:
    """A time input shows AM and PM in an American English browser."""
    drawn = WeekWidget().render("week", [opening(0, "09:00", "17:30")])
    assert 'type="time"' not in drawn
    assert 'value="17:30"' in drawn
    assert "pattern=" in drawn
