"""Why a conversation waits: a table of cases, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from routing.decisions import AgentView, Need
from routing.waits.cases import AgentCase, Case, Fill
from routing.waits.reasons import Explanation, explain, fill_text
from tests.clock import NOW
from tools import typography

PARIS = ZoneInfo("Europe/Paris")  # NOW is Monday 5 March 2035, 10:00 there
TEAM, OTHERS, FRENCH, LAMPS = 1, 2, 7, 8
HOUR = timedelta(hours=1)


def person(name: str, **how: Any) -> AgentCase:
    """Return a member who is connected, available, with four slots, none of them taken."""
    view = AgentView(agent_id=sum(map(ord, name)), slots=4, active=0, group_ids=frozenset({TEAM}))
    return AgentCase(name, replace(view, **how))


ALICE = person("Alice", is_reachable=False)
BRUNO = person("Bruno", active=4)
CLARA = person("Clara", is_available=False)
DINA = person("Dina", slots=0)
EMMA = person("Emma", group_ids=frozenset({OTHERS}))
FRED = person("Fred")


def case(*people: AgentCase, need: Need | None = None, **how: Any) -> Case:
    return replace(
        Case(
            number=1042,
            at=NOW,
            zone=PARIS,
            need=need or Need(group_id=TEAM),
            channel="Chat",
            group="Conseil",
            fill=Fill("Accueil", "Conseil", 100, 37, 0),
            rank=1,
            waits_since=NOW - HOUR,
            people=people,
            skills={FRENCH: "français", LAMPS: "lampes"},
        ),
        **how,
    )


def words(explanation: Explanation) -> dict[str, list[str]]:
    return {one.name: [reason.text for reason in one.reasons] for one in explanation.candidates}


CLOSED = Need(group_id=TEAM, is_open=False, opens_at=NOW + 3 * HOUR)
TOMORROW = Need(group_id=TEAM, is_open=False, opens_at=NOW + 23 * HOUR)
SKILLED = Need(group_id=TEAM, skill_ids=frozenset({FRENCH}))
ASSIGNED = Need(group_id=TEAM, agent_id=BRUNO.view.agent_id)

CASES: list[tuple[str, Case, str, dict[str, list[str]], list[str], str]] = [
    (
        "each obstacle has its words; who is stopped least comes first, who is no member last",
        case(ALICE, BRUNO, CLARA, DINA, EMMA),
        "No one in the group Conseil can take it at the moment: 1 offline, 1 without slots on "
        "Chat, 1 unavailable on Chat, 1 full.",
        {
            "Alice": ["offline"],
            "Bruno": ["full 4/4"],
            "Clara": ["unavailable on Chat"],
            "Dina": ["no slots on Chat"],
            "Emma": ["not a member of the group Conseil"],
        },
        [
            "Alice opens the desk.",
            "Bruno ends or sets aside a conversation, or gets another slot.",
            "Clara becomes available on Chat.",
        ],
        "Personne dans le groupe Conseil ne peut la prendre pour le moment : 1 hors ligne, "
        "1 sans place simultanée sur Chat, 1 indisponible sur Chat, 1 complet.",
    ),
    (
        "several things may stop one agent",
        case(person("Alice", is_reachable=False, is_available=False), need=SKILLED),
        "No one in the group Conseil can take it at the moment: 1 without français.",
        {"Alice": ["lacks the skill français", "offline", "unavailable on Chat"]},
        [],
        "Personne dans le groupe Conseil ne peut la prendre pour le moment : 1 sans français.",
    ),
    (
        "what waits for a skill says until when",
        case(
            FRED,
            need=replace(SKILLED, skill_ids=frozenset({FRENCH, LAMPS})),
            deadline_at=NOW + HOUR / 2,
        ),
        "No one in the group Conseil can take it at the moment: 1 without français, lampes.",
        {"Fred": ["lacks the skills français, lampes"]},
        [
            "After the wait for a skill, any member of the group can take it (at 10:30).",
            "Fred gets français, lampes.",
        ],
        "Personne dans le groupe Conseil ne peut la prendre pour le moment : 1 sans français, "
        "lampes.",
    ),
    (
        "a closed group says when it opens, today by the clock",
        case(FRED, need=CLOSED),
        "The group Conseil is closed until 13:00.",
        {"Fred": ["group closed until 13:00"]},
        ["The group Conseil opens at 13:00."],
        "Le groupe Conseil est fermé jusqu’à 13:00.",
    ),
    (
        "another day by its name",
        case(FRED, need=TOMORROW),
        "The group Conseil is closed until Tuesday 6 March, 09:00.",
        {"Fred": ["group closed until Tuesday 6 March, 09:00"]},
        ["The group Conseil opens on Tuesday 6 March at 09:00."],
        "Le groupe Conseil est fermé jusqu’à mardi 6 mars, 09:00.",
    ),
    (
        "a group that never opens",
        case(FRED, need=replace(CLOSED, opens_at=None)),
        "The group Conseil is closed.",
        {"Fred": ["group closed"]},
        ["Opening hours are set for the group Conseil."],
        "Le groupe Conseil est fermé.",
    ),
    (
        "a group without members",
        case(),
        "The group Conseil has no members. No one can take it.",
        {},
        ["Someone becomes a member of the group Conseil."],
        "Le groupe Conseil n’a aucun membre. Personne ne peut la prendre.",
    ),
    (
        "the only one who could is no member",
        case(EMMA),
        "The group Conseil has no members. No one can take it.",
        {"Emma": ["not a member of the group Conseil"]},
        ["Emma becomes a member of the group Conseil."],
        "Le groupe Conseil n’a aucun membre. Personne ne peut la prendre.",
    ),
    (
        "what is assigned waits for one agent, and says until when",
        case(BRUNO, need=ASSIGNED, deadline_at=NOW + 20 * HOUR),
        "It is assigned to Bruno: full 4/4.",
        {"Bruno": ["full 4/4"]},
        [
            "It returns to the group Conseil on Tuesday 6 March at 06:00 at the latest.",
            "Bruno ends or sets aside a conversation, or gets another slot.",
            "A manager releases it, and it returns to its group.",
        ],
        "Elle est assignée à Bruno : complet 4/4.",
    ),
    (
        "a push that is under way is no fault",
        case(FRED, BRUNO, free_since=NOW - timedelta(seconds=1)),
        "Fred can take it. It is being pushed now.",
        {"Fred": [], "Bruno": ["full 4/4"]},
        [],
        "Fred peut la prendre : elle est en cours de distribution.",
    ),
    (
        "an agent is free and it still waits: a fault",
        case(FRED, free_since=NOW - timedelta(seconds=5)),
        "Fred could take it, but it is still waiting. This is an error.",
        {"Fred": []},
        [
            "The safety sweep pushes it within ten seconds and counts it as a repair.",
            (
                "If this continues, contact the operator of this installation: manage.py "
                "check_invariants."
            ),
        ],
        "Fred pourrait la prendre, mais elle attend toujours. C’est une anomalie.",
    ),
]


@pytest.mark.parametrize(
    ("given", "summary", "reasons", "remedies", "french"),
    [row[1:] for row in CASES],
    ids=[row[0] for row in CASES],
)
def test_each_case_has_its_explanation(
    given: Case,
    summary: str,
    reasons: dict[str, list[str]],
    remedies: list[str],
    french: str,
) -> None:
    with translation.override("en"):
        explanation = explain(given)
    assert explanation.summary == summary
    assert words(explanation) == reasons
    assert list(words(explanation)) == list(reasons), "in this order"
    assert list(explanation.remedies) == remedies
    with translation.override("fr"):
        in_french = explain(given)
    assert in_french.summary == typography.french(french)
    assert [one.agent_id for one in in_french.candidates] == [
        one.agent_id for one in explanation.candidates
    ]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["offline", "full 4/4", "group closed until 13:00", "lacks the skill français"]),
        (
            "fr",
            [
                "hors ligne",
                "complet 4/4",
                "groupe fermé jusqu’à 13:00",
                "n’a pas la compétence français",
            ],
        ),
    ],
)
def test_reasons_have_codes_and_translated_texts(language: str, texts: list[str]) -> None:
    stopped = person("Alice", is_reachable=False, active=4)
    need = replace(CLOSED, skill_ids=frozenset({FRENCH}))
    with translation.override(language):
        [alice] = explain(case(stopped, need=need)).candidates
    assert {reason.code for reason in alice.reasons} == {
        "offline",
        "full",
        "group_closed",
        "lacks_skill",
    }
    assert {reason.text for reason in alice.reasons} == set(texts)


@pytest.mark.parametrize(
    ("fill", "text"),
    [
        (Fill("A", "G", 100, 37, 0), "37/100"),
        (Fill("A", "G", 100, 103, 3), "103/100, 3 returned"),
        (Fill("", "G", None, 2, 1), "2, 1 returned"),
    ],
)
def test_fill_text_describes_a_queue(fill: Fill, text: str) -> None:
    """C16."""
    assert fill_text(fill) == text


@pytest.mark.parametrize(
    ("rank", "need", "text"),
    [
        (1, Need(group_id=TEAM), "next in line"),
        (2, Need(group_id=TEAM), "number 2 in line, after one other"),
        (7, Need(group_id=TEAM), "number 7 in line, after 6 others"),
        (1, ASSIGNED, "next of the conversations assigned to this agent"),
        (3, ASSIGNED, "number 3 of the conversations assigned to this agent"),
    ],
)
def test_rank_text_depends_on_the_need(rank: int, need: Need, text: str) -> None:
    assert explain(case(BRUNO, need=need, rank=rank)).rank_text == text


def test_time_left_is_never_negative() -> None:
    explanation = explain(case(BRUNO, need=ASSIGNED, deadline_at=NOW + HOUR))
    assert (explanation.status, explanation.time_left) == ("assigned", HOUR)
    late = explain(case(BRUNO, need=ASSIGNED, deadline_at=NOW - HOUR))
    assert late.time_left == timedelta(0)
    assert explain(case(BRUNO)).time_left is None


@pytest.mark.parametrize(("seconds", "is_fault"), [(None, False), (4, False), (5, True)])
def test_waiting_beside_a_free_agent_becomes_a_fault_after_a_delay(
    seconds: int | None, is_fault: bool
) -> None:
    since = None if seconds is None else NOW - timedelta(seconds=seconds)
    assert explain(case(FRED, free_since=since)).is_fault is is_fault
    assert not explain(case(BRUNO, free_since=since)).is_fault, "nobody is free"
