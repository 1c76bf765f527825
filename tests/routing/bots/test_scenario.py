"""The format of scenarios: what is read, what is refused, and that files come back unchanged."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given

from routing.bots import scenario
from routing.bots.scenario import Invalid, Scenario, ways
from tests.routing.bots.scenarios import random_plans, shop


@given(random_plans())
def test_a_file_comes_back_unchanged(plan: Scenario) -> None:
    assert scenario.read(scenario.write(plan)).data == plan.data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing",
        b"[]",
        b"{}",
        b'{"format": 2, "start": "", "steps": []}',
        b'{"format": 1, "start": "", "steps": [{"id": "A b", "kind": "close"}]}',
        b'{"format": 1, "start": "", "steps": [{"id": "a", "kind": "dance"}]}',
        b'{"format": 1, "start": "", "steps": [{"id": "a", "kind": "close", "next": "b"}]}',
        b'{"format": 1, "start": "", "steps": [{"id": "a", "kind": "close"}, '
        b'{"id": "a", "kind": "close"}]}',
        b'{"format": 1, "start": "", "steps": [], "more": NaN}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b" " * (scenario.SIZE_LIMIT + 1),
    ],
)
def test_what_is_not_a_scenario_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        scenario.read(content)


def _changed(path: list[str | int], value: Any) -> dict[str, Any]:
    data = deepcopy(dict(shop().data))
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["steps", 0, "text", "en"], "x" * 4001),
        (["steps", 0, "text", "English"], "Hello"),
        (["steps", 1, "choices", 0, "text", "en"], "x" * 81),
        (["steps", 2, "tries"], 11),
        (["steps", 2, "name"], "My answer"),
        (["steps", 3, "seconds"], 60),
        (["steps", 3, "method"], "DELETE"),
        (["steps", 4, "branches", 0, "source"], "secret"),
        (["steps", 4, "branches"], []),
    ],
)
def test_the_error_names_its_place(path: list[str | int], value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.check(_changed(path, value))
    assert refused.value.place.startswith("/".join(str(part) for part in path[:2]))


def test_texts_fall_back_to_the_languages_of_the_website_and_then_to_any() -> None:
    plan = Scenario({}, ("fr", "en"))
    texts = {"en": "Hello", "de": "Hallo"}
    assert plan.text(texts, "de-AT") == "Hallo"
    assert plan.text(texts, "es") == "Hello"
    assert plan.text({"de": "Hallo", "fr": ""}, "es") == "Hallo"
    assert plan.text({}, "fr") == ""


def test_every_kind_of_step_of_the_format_has_its_ways() -> None:
    fields = {step["id"]: [way.field for way in ways(step)] for step in shop().data["steps"]}
    assert fields["topic"] == ["choices/0", "choices/1", "choices/2", "failed"]
    assert fields["number"] == fields["status"] == ["next", "failed"]
    assert fields["is_sent"] == ["branches/0", "otherwise"]
    assert fields["people"] == ["no_room"]
    assert fields["bye"] == []


def test_the_documented_limits_are_those_of_the_format() -> None:
    schema = json.loads(
        (scenario.Path(scenario.__file__).parent / "scenario.schema.json").read_text()
    )
    assert schema["properties"]["steps"]["maxItems"] == 200
    kinds = schema["$defs"]["step"]["properties"]["kind"]["enum"]
    assert tuple(kinds) == scenario.KINDS
