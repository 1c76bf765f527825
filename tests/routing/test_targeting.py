"""Which targeting rule matches a page view: by a table, and by properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import targeting
from routing.targeting import Condition, Hours, PageView, Target, first_match

HOME = "https://www.example.com/"
VIEW = PageView(url=f"{HOME}lamps/", language="fr-FR", device="phone", data={"cart.total": 80.0})
OPEN, SHUT = Hours(True), Hours(False)


def fits(view: PageView = VIEW, **asked: Any) -> bool:
    return first_match([Target(1, 1, **asked)], view, lambda _: OPEN).target is not None


@pytest.mark.parametrize(
    ("conditions", "does"),
    [
        ({}, True),
        ({"include": ("/lamps",)}, True),
        ({"include": ("/cart", "/lamps/*")}, True),
        ({"include": ("/cart",)}, False),
        ({"exclude": ("/cart",)}, True),
        ({"exclude": ("/lamps",)}, False),
        ({"include": ("/lamps",), "exclude": ("/*",)}, False),
        ({"languages": ("fr",)}, True),
        ({"languages": ("FR_fr",)}, True),
        ({"languages": ("en", "fr-FR")}, True),
        ({"languages": ("fr-CA",)}, False),
        ({"languages": ("f",)}, False),
        ({"languages": ("en",)}, False),
        ({"devices": ("phone", "tablet")}, True),
        ({"devices": ("desktop",)}, False),
        ({"audience": "new"}, True),
        ({"audience": "returning"}, False),
        ({"pages": 1}, True),
        ({"pages": 2}, False),
        ({"seconds": 1}, False),
        ({"conditions": (Condition("cart.total", "at_least", "80"),)}, True),
        ({"conditions": (Condition("cart.total", "at_least", "80.5"),)}, False),
        (
            {"conditions": (Condition("cart.total", "known"), Condition("tier", "is", "gold"))},
            False,
        ),
    ],
)
def test_every_condition_must_match(conditions: dict[str, Any], does: bool) -> None:
    assert fits(**conditions) is does


def test_an_unknown_page_matches_no_page_conditions() -> None:
    nowhere = replace(VIEW, url="")
    assert fits(nowhere)
    assert not fits(nowhere, include=("*",))
    assert not fits(nowhere, exclude=("/cart",))


def test_an_unknown_device_matches_no_device_condition() -> None:
    assert not fits(replace(VIEW, device=""), devices=("phone", "tablet", "desktop"))


DATA = {"tier": "Gold ", "total": 80.0, "count": "12", "vip": True, "code": "abc-été"}


@pytest.mark.parametrize(
    ("name", "operator", "value", "holds"),
    [
        ("tier", "is", "gold", True),
        ("tier", "is", "silver", False),
        ("tier", "is_not", "silver", True),
        ("nothing", "is", "", False),
        ("nothing", "is_not", "gold", True),
        ("total", "is", "80", True),
        ("total", "is", "80.0", True),
        ("total", "is", "8", False),
        ("total", "contains", "8", False),
        ("vip", "is", "true", True),
        ("vip", "is", "Yes", True),
        ("vip", "is", "1", True),
        ("vip", "is", "false", False),
        ("vip", "is_not", "false", True),
        ("vip", "at_least", "1", False),
        ("code", "contains", "ÉTÉ", True),
        ("code", "contains", "xyz", False),
        ("total", "at_least", "80", True),
        ("total", "at_least", "81", False),
        ("total", "at_most", "80", True),
        ("total", "at_most", "79.9", False),
        ("count", "at_least", "9", True),  # as numbers, not as text
        ("tier", "at_least", "1", False),
        ("total", "at_least", "many", False),
        ("total", "at_most", "nan", False),
        ("total", "at_most", "inf", False),
        ("nothing", "at_most", "5", False),
        ("tier", "known", "", True),
        ("nothing", "known", "", False),
        ("nothing", "unknown", "", True),
        ("vip", "unknown", "", False),
        ("tier", "no such operator", "gold", False),
    ],
)
def test_data_conditions_compare_by_operator(
    name: str, operator: str, value: str, holds: bool
) -> None:
    assert Condition(name, operator, value).holds(DATA) is holds


@pytest.mark.parametrize(
    ("sent", "view"),
    [
        ({}, PageView()),
        (
            {"url": HOME, "language": "fr", "device": "phone", "pages": 3, "seconds": 7},
            PageView(url=HOME, language="fr", device="phone", pages=3, seconds=7),
        ),
        ({"returning": True}, PageView(is_returning=True)),
        ({"returning": "yes"}, PageView()),
        ({"url": "x" * 2001, "language": "x" * 36, "device": "x" * 11}, PageView()),
        ({"url": 7, "language": None, "device": [], "pages": "3", "seconds": True}, PageView()),
        ({"pages": -1, "seconds": -1}, PageView()),
        ({"pages": 1e300, "seconds": float("nan")}, PageView()),
        ({"pages": 2.9, "seconds": 2.9}, PageView(pages=2, seconds=2)),
        ({"data": [1]}, PageView()),
        (
            {
                "data": {
                    "a": 1,
                    "b": "x",
                    "c": False,
                    "d": None,
                    "e": [1],
                    "f": {"g": 1},
                    "h": "x" * 201,
                    "i": float("inf"),
                    "j": float("nan"),
                    "k": 10**400,
                    "l" * 61: 1,
                }
            },
            PageView(data={"a": 1.0, "b": "x", "c": False}),
        ),
        (
            {"data": {f"n{n}": n for n in range(60)}},
            PageView(data={f"n{n}": float(n) for n in range(50)}),
        ),
    ],
)
def test_page_views_are_read_by_type_and_size(sent: dict[str, Any], view: PageView) -> None:
    assert PageView.read(sent) == view


@given(
    st.dictionaries(
        st.sampled_from(["url", "language", "device", "pages", "seconds", "returning", "data"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    )
)
def test_any_page_view_can_be_matched(sent: dict[str, Any]) -> None:
    view = PageView.read(sent)
    assert first_match([Target(1, 1, include=("/x",), seconds=3)], view, lambda _: OPEN) is not None


# --- Which of several, and when again ---------------------------------------------------------


def match(*targets: Target, view: PageView = VIEW, hours: Hours = OPEN) -> tuple[Any, Any]:
    target = first_match(targets, view, lambda _: hours)
    return (target.target.id if target.target else None), target.again_in


def test_the_first_matching_rule_decides() -> None:
    cart, lamps, everywhere = (
        Target(1, 1, include=("/cart",)),
        Target(2, 1, include=("/lamps",)),
        Target(3, 2),
    )
    assert match(cart, lamps, everywhere) == (2, None)
    assert match(cart, everywhere, lamps) == (3, None)
    assert match(cart) == (None, None)
    assert match() == (None, None)


@pytest.mark.parametrize(
    ("seconds", "first", "second", "expected"),
    [
        (0, 30, 10, (None, 10)),
        (10, 30, 10, (2, 20)),  # the first will take over
        (29, 30, 10, (2, 1)),
        (30, 30, 10, (1, None)),
        (500, 30, 10, (1, None)),
        (0, 0, 10, (1, None)),  # rules after the deciding one do not matter
    ],
)
def test_time_on_the_page_delays_a_match(
    seconds: int, first: int, second: int, expected: tuple[Any, Any]
) -> None:
    view = replace(VIEW, seconds=seconds)
    assert match(Target(1, 1, seconds=first), Target(2, 1, seconds=second), view=view) == expected


@pytest.mark.parametrize(
    ("choice", "hours", "expected"),
    [
        ("always", SHUT, (1, None)),
        ("open", OPEN, (1, None)),
        ("open", SHUT, (None, None)),
        ("open", Hours(False, 600), (None, 600)),
        ("open", Hours(False, 0), (None, 1)),
        ("closed", SHUT, (1, None)),
        ("closed", Hours(True, 600), (None, 600)),
    ],
)
def test_opening_hours_decide_a_match(choice: str, hours: Hours, expected: tuple[Any, Any]) -> None:
    assert match(Target(1, 1, hours=choice), hours=hours) == expected


def test_hours_and_time_on_the_page_must_both_match() -> None:
    target = Target(1, 1, hours="open", seconds=60)
    assert match(target, hours=Hours(False, 20)) == (None, 60)
    assert match(target, hours=Hours(False, 90)) == (None, 90)


TARGETS = st.lists(
    st.builds(
        Target,
        id=st.integers(1, 9),
        rule_id=st.just(1),
        include=st.sampled_from([(), ("/lamps",), ("/cart",)]),
        exclude=st.sampled_from([(), ("/lamps",)]),
        languages=st.sampled_from([(), ("fr",), ("en",)]),
        seconds=st.integers(0, 20),
        pages=st.integers(1, 3),
        hours=st.sampled_from(["always", "open", "closed"]),
    ),
    max_size=6,
)


@given(TARGETS, st.integers(0, 25), st.integers(1, 3), st.booleans())
def test_the_match_changes_exactly_at_its_again_in(
    targets: list[Target], seconds: int, pages: int, is_open: bool
) -> None:
    view = replace(VIEW, seconds=seconds, pages=pages)

    def at(later: int) -> targeting.Match:
        return first_match(
            targets, replace(view, seconds=seconds + later), lambda _: Hours(is_open)
        )

    now = at(0)
    end = 30 if now.again_in is None else now.again_in
    assert all(at(later).target is now.target for later in range(end))
    if now.again_in is not None:
        assert at(now.again_in).target is not now.target
