"""The picture of a scenario: layers downwards, no box on another, few crossings."""

from __future__ import annotations

from itertools import combinations, permutations

from hypothesis import given
from hypothesis import strategies as st

from routing.bots import layout
from routing.bots.checks import graph
from routing.bots.layout import GAP, HEIGHT, WIDTH, crossings, draw, layers, ordered, reading_order
from routing.bots.scenario import Scenario
from tests.routing.bots.scenarios import choose, people, plan, random_plans, say, shop


@given(random_plans())
def test_every_step_has_a_box_of_its_own_inside_the_picture(scenario: Scenario) -> None:
    picture = draw(scenario)
    assert {box.step for box in picture.boxes} == set(scenario.steps)
    for one, other in combinations(picture.boxes, 2):
        assert abs(one.x - other.x) >= WIDTH + GAP or abs(one.y - other.y) >= HEIGHT
    for box in picture.boxes:
        assert 0 <= box.x <= picture.width - WIDTH
        assert 0 <= box.y <= picture.height - HEIGHT
    ways = sum(len(tos) for tos in graph(scenario).values())
    assert len(picture.lines) == ways


@given(random_plans())
def test_the_reading_order_names_every_step_once_and_begins_with_the_start(
    scenario: Scenario,
) -> None:
    order = reading_order(scenario)
    assert sorted(order) == sorted(scenario.steps)
    if scenario.start in scenario.steps:
        assert order[0] == scenario.start


@given(random_plans())
def test_ways_that_lead_back_belong_to_a_circle(scenario: Scenario) -> None:
    edges = graph(scenario)
    rows = layers(scenario.start, edges)
    depth = {step: number for number, row in enumerate(rows) for step in row}
    for line in draw(scenario).lines:
        if line.is_back and depth[line.start] < len(rows) - 1:
            assert depth[line.end] <= depth[line.start]


def test_ends_are_below_everything_that_leads_to_them() -> None:
    picture = {box.step: box.y for box in draw(shop()).boxes}
    assert picture["hello"] == min(picture.values())
    assert picture["bye"] == max(picture.values())


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=7),
)
def test_two_rows_have_no_more_crossings_than_they_began_with(ways: list[tuple[int, int]]) -> None:
    """And for so few steps, close to the best of all orders."""
    edges: dict[str, list[str]] = {f"a{n}": [] for n in range(4)} | {f"b{n}": [] for n in range(4)}
    for one, other in dict.fromkeys(ways):
        edges[f"a{one}"].append(f"b{other}")
    rows = [[f"a{n}" for n in range(4)], [f"b{n}" for n in range(4)]]
    found = crossings(ordered(rows, edges), edges)
    assert found <= crossings(rows, edges)
    best = min(
        crossings([list(upper), list(lower)], edges)
        for upper in permutations(rows[0])
        for lower in permutations(rows[1])
    )
    assert found <= best + 3


def test_sixty_steps_are_drawn_in_rows_that_fit_a_page() -> None:
    steps = [choose(f"q{n}", ("a", f"q{n + 1}"), ("b", f"s{n}")) for n in range(29)]
    steps += [say(f"s{n}", "people") for n in range(30)] + [say("q29", "people"), people()]
    picture = draw(plan(*steps))
    assert len(picture.boxes) == 61
    assert picture.width <= layout.WIDEST * (WIDTH + GAP)
    assert draw(plan(*steps)) == picture
