"""Every kind of conflicting settings is found, and sound settings give no warning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.patterns import Address
from routing.targeting import CLOSED, NEW, OPEN, Condition, PageView, Target
from routing.warnings import (
    Agent,
    Finding,
    Group,
    Kind,
    Queue,
    Rule,
    Settings,
    Targeting,
    Website,
    covers,
    find,
)

HERE = 1
ALICE, BOB = Agent(1, slots=3), Agent(2, slots=3)
TEAM = Group(10, HERE, members=frozenset({1}))
EXPERTS = Group(11, HERE, members=frozenset({2}))
RULE = Rule(20, HERE, (Queue(10, 3), Queue(11, 0)))
EVERYWHERE = Targeting(HERE, Target(30, rule_id=20))
SOUND = Settings(
    websites=(Website(HERE, ("www.example.com",)),),
    agents=(ALICE, BOB),
    groups=(TEAM, EXPERTS),
    rules=(RULE,),
    targetings=(EVERYWHERE,),
)


def other_rule(**changes: Any) -> Rule:
    return replace(RULE, id=21, **changes)


def targets(*all_of_them: Target) -> tuple[Targeting, ...]:
    return tuple(Targeting(HERE, target) for target in all_of_them)


def test_sound_settings_give_no_warning() -> None:
    assert find(SOUND) == []


CASES: dict[str, tuple[dict[str, Any], set[tuple[Kind, int]]]] = {
    "no domains": (
        {"websites": (Website(HERE),)},
        {(Kind.WEBSITE_WITHOUT_DOMAINS, HERE)},
    ),
    "no rule": (
        {"rules": (), "targetings": ()},
        {(Kind.WEBSITE_WITHOUT_RULE, HERE)},
    ),
    "only a disabled rule": (
        {"rules": (replace(RULE, is_enabled=False),)},
        {(Kind.WEBSITE_WITHOUT_RULE, HERE), (Kind.TARGETING_OF_DISABLED_RULE, 30)},
    ),
    "a rule that nothing leads to": (
        {"rules": (RULE, other_rule())},
        {(Kind.RULE_NOT_REACHED, 21)},
    ),
    "a rule without groups": (
        {"rules": (replace(RULE, queues=()),)},
        {(Kind.RULE_WITHOUT_GROUPS, 20)},
    ),
    "an agent with both kinds of group (R55)": (
        {"groups": (TEAM, replace(EXPERTS, members=frozenset({1, 2})))},
        {(Kind.AGENT_IN_BOTH, 1)},
    ),
    "but not where that rule is disabled": (
        {
            "groups": (TEAM, replace(EXPERTS, members=frozenset({1, 2}))),
            "rules": (
                replace(RULE, queues=(Queue(10, 3),)),
                other_rule(queues=(Queue(11, 0),), is_enabled=False),
            ),
        },
        set(),
    ),
    "a group with both": (
        {
            "rules": (RULE, other_rule(queues=(Queue(10, 0),))),
            "targetings": targets(Target(30, rule_id=20, include=("/a",)), Target(31, rule_id=21)),
        },
        {(Kind.GROUP_IN_BOTH, 10)},
    ),
    "no members": (
        {"groups": (replace(TEAM, members=frozenset()), EXPERTS)},
        {(Kind.GROUP_WITHOUT_MEMBERS, 10)},
    ),
    "members without slots": (
        {"agents": (replace(ALICE, slots=0), BOB)},
        {(Kind.GROUP_WITHOUT_SLOTS, 10), (Kind.AGENT_WITHOUT_SLOTS, 1)},
    ),
    "members who may not log in": (
        {"agents": (replace(ALICE, is_active=False), BOB)},
        {(Kind.GROUP_WITHOUT_SLOTS, 10)},
    ),
    "a group that never opens": (
        {"groups": (replace(TEAM, ever_opens=False), EXPERTS)},
        {(Kind.GROUP_NEVER_OPEN, 10)},
    ),
    "nobody at all": (
        {"agents": (replace(ALICE, is_active=False), replace(BOB, is_active=False))},
        {
            (Kind.RULE_WITHOUT_AGENTS, 20),
            (Kind.GROUP_WITHOUT_SLOTS, 10),
            (Kind.GROUP_WITHOUT_SLOTS, 11),
        },
    ),
    "a bot without targets": (
        {"rules": (replace(RULE, bot_id=40, queues=()),)},
        {(Kind.BOT_WITHOUT_TARGETS, 20)},
    ),
    "a bot whose targets are asleep for ever": (
        {
            "rules": (replace(RULE, bot_id=40, queues=(Queue(10, 3),)),),
            "groups": (replace(TEAM, ever_opens=False), EXPERTS),
        },
        {(Kind.BOT_WITHOUT_TARGETS, 20), (Kind.GROUP_NEVER_OPEN, 10)},
    ),
    "a timer too short": (
        {"groups": (replace(TEAM, answer_seconds=5), EXPERTS)},
        {(Kind.TIMER_TOO_SHORT, 10)},
    ),
    "the second can never match": (
        {"targetings": targets(Target(30, rule_id=20), Target(31, rule_id=20, seconds=5))},
        {(Kind.TARGETING_NEVER_MATCHES, 31)},
    ),
    "the narrow one first is as it should be": (
        {"targetings": targets(Target(31, rule_id=20, seconds=5), Target(30, rule_id=20))},
        set(),
    ),
    "a rule that is passed over takes nothing from the next": (
        {
            "rules": (RULE, other_rule(is_enabled=False)),
            "targetings": targets(Target(31, rule_id=21), Target(30, rule_id=20)),
        },
        {(Kind.TARGETING_OF_DISABLED_RULE, 31)},
    ),
    "engaging only while nobody takes anything": (
        {
            "targetings": targets(Target(31, rule_id=20, hours=CLOSED), Target(30, rule_id=20)),
            "groups": (replace(TEAM, keeps_places=False), EXPERTS),
        },
        {(Kind.TARGETING_ONLY_WHILE_CLOSED, 31)},
    ),
    "a skill nobody has": (
        {"targetings": targets(Target(30, rule_id=20, skills=(5,)))},
        {(Kind.SKILL_NOBODY_HAS, 30)},
    ),
    "two skills that no one agent has together": (
        {
            "agents": (
                replace(ALICE, skills=frozenset({5})),
                replace(BOB, skills=frozenset({6})),
            ),
            "targetings": targets(Target(30, rule_id=20, skills=(5, 6))),
        },
        {(Kind.SKILL_NOBODY_HAS, 30)},
    ),
    "a skill that the rule does without after a while": (
        {
            "rules": (replace(RULE, relaxes=True),),
            "targetings": targets(Target(30, rule_id=20, skills=(5,))),
        },
        set(),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_conflicting_settings_are_found(case: str) -> None:
    changes, expected = CASES[case]
    problems = find(replace(SOUND, **changes))
    assert {(finding.kind, finding.id) for finding in problems} == expected
    assert len(problems) == len(expected)


def test_every_kind_of_warning_has_a_test_case() -> None:
    seen = {kind for _changes, expected in CASES.values() for kind, _id in expected}
    assert seen == set(Kind)


def test_a_finding_names_related_objects() -> None:
    both = replace(SOUND, groups=(TEAM, replace(EXPERTS, members=frozenset({1, 2}))))
    assert find(both) == [
        Finding(Kind.AGENT_IN_BOTH, 1, frozenset({HERE}), (11, 10)),
    ]


def test_targeting_rules_never_cover_those_of_another_website() -> None:
    elsewhere = Targeting(2, Target(40, rule_id=50))
    settings = replace(
        SOUND,
        websites=(*SOUND.websites, Website(2, ("b.example.com",))),
        rules=(RULE, Rule(50, 2, (Queue(12, 3),))),
        groups=(TEAM, EXPERTS, Group(12, 2, members=frozenset({1}))),
        targetings=(elsewhere, EVERYWHERE),
    )
    assert find(settings) == []


PAGES = ["/", "/cart/", "/cart/pay", "/lamps/halo"]
PATTERNS = ["/cart/*", "/*", "/lamps/*", "/cart/"]
some = {
    "include": st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple),
    "exclude": st.lists(st.sampled_from(PATTERNS), max_size=1).map(tuple),
    "languages": st.lists(st.sampled_from(["fr", "fr-CA", "FR", "en"]), max_size=2).map(tuple),
    "devices": st.lists(st.sampled_from(["phone", "desktop"]), max_size=2).map(tuple),
    "audience": st.sampled_from(["anybody", "new", "returning"]),
    "seconds": st.integers(0, 2),
    "pages": st.integers(1, 3),
    "conditions": st.lists(
        st.sampled_from([Condition("vip", "known"), Condition("cart.total", "at_least", "80")]),
        max_size=2,
    ).map(tuple),
}
targets_drawn = st.builds(Target, id=st.just(1), rule_id=st.just(1), **some)
views = st.builds(
    PageView,
    url=st.sampled_from([f"https://www.example.com{path}" for path in PAGES]),
    language=st.sampled_from(["fr", "fr-CA", "fr-FR", "en", ""]),
    device=st.sampled_from(["phone", "desktop", "tablet"]),
    pages=st.integers(1, 4),
    seconds=st.integers(0, 3),
    is_returning=st.booleans(),
    data=st.sampled_from(
        [{}, {"vip": True}, {"cart.total": 90.0}, {"vip": 1.0, "cart.total": 9.0}]
    ),
)


@given(targets_drawn, targets_drawn, views)
def test_a_covered_targeting_rule_never_decides(
    first: Target, later: Target, view: PageView
) -> None:
    address = Address.of(view.url)
    if covers(first, later) and later.fits(view, address) and view.seconds >= later.seconds:
        assert first.fits(view, address)
        assert view.seconds >= first.seconds


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        ({}, {"audience": NEW}, True),
        ({"audience": NEW}, {}, False),
        ({"hours": OPEN}, {"hours": OPEN}, True),
        ({"hours": OPEN}, {"hours": OPEN, "rule_id": 2}, False),
        ({"languages": ("fr",)}, {"languages": ("fr-CA",)}, True),
        ({"languages": ("fr-CA",)}, {"languages": ("fr",)}, False),
        ({"exclude": ("/cart/*",)}, {}, False),
        ({"include": ("/a", "/b")}, {"include": ("/a",)}, True),
    ],
)
def test_covers_detects_covered_targeting_rules(
    first: dict[str, Any], later: dict[str, Any], expected: bool
) -> None:
    one, two = ({"id": 1, "rule_id": 1} | what for what in (first, later))
    assert covers(Target(**one), Target(**two)) is expected
