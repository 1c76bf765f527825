"""Conversations are found by words, visitor, e-mail and number, by those who may see them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.fields.json import KT
from django.test import Client
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Agent, User
from conversations.agents import notes
from conversations.messages import sending
from conversations.models import Address, Author, Conversation, Message, Person, Visitor
from core.text.search_expressions import Saying, Words
from core.text.text_search import cut, sought
from desk import search
from desk.search import Search, find
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk, queued

pytestmark = pytest.mark.django_db
Browser = Callable[[User], Client]


def conversation_with(step: RuleStep, agent: Agent, *bodies: str, **how: Any) -> Conversation:
    conversation = on_desk(step, agent, **how)
    for body in bodies:
        sending.add(
            conversation.pk, author=Author.VISITOR, body=body, client_id=uuid.uuid4(), at=NOW
        )
    return conversation


def numbers(user: User, text: str = "", **asked: Any) -> list[int]:
    return [row.conversation.pk for row in find(Search(text, **asked), user).rows]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("remboursement", True),
        ("Rembours", True),
        ("lampes", True),
        ("casse", True),
        ("CASSÉE lampe", True),
        ("lampe tapis", False),
        ("oursement", False),
        ("l'ampoule", True),
        ("ref-4711", True),
        ("a & b | ! <-> :* ' \\", False),
        ("!!!", False),
    ],
)
def test_search_matches_word_prefixes(
    step: RuleStep, agent: Agent, query: str, is_found: bool
) -> None:
    number = conversation_with(
        step,
        agent,
        "Ma lampe est cassée, l'ampoule aussi.",
        "Un remboursement de la lampe ref-4711 ?",
    ).pk
    assert (numbers(agent.user, query) == [number]) is is_found


def test_search_covers_visitor_email_number_person_and_notes(step: RuleStep, agent: Agent) -> None:
    expected, other = (
        conversation_with(step, agent, "Bonjour"),
        conversation_with(step, agent, "Bonjour"),
    )
    visitor = expected.visitor
    visitor.name = "Zoé d'Ávila"
    visitor.person = Person.objects.create(
        website=step.rule.website, external_id="K-77", created_at=NOW
    )
    visitor.save()
    Address.objects.create(visitor=visitor, email="Zoe@Example.com", given_at=NOW)
    notes.write(expected.pk, agent_id=agent.pk, body="Fidèle depuis 2019", at=NOW)
    for query in ("zoe d’avila", "ZOE@exa", f"#{expected.pk}", "K-77", "k77", "fidele"):
        assert numbers(agent.user, query) == [expected.pk], query
    assert numbers(agent.user, "bonjour") == [other.pk, expected.pk]


def test_unnamed_visitor_is_found_by_alias(step: RuleStep, agent: Agent) -> None:
    expected, other = (
        conversation_with(step, agent, "Bonjour"),
        conversation_with(step, agent, "Bonjour"),
    )
    for one, first in ((expected, 0), (other, 1)):  # the first bits determine the alias
        public_id = uuid.UUID(int=first << 115 | uuid.uuid4().int >> 13)
        Visitor.objects.filter(pk=one.visitor_id).update(public_id=public_id)
    with translation.override("fr"):
        assert numbers(agent.user, "héron calme") == [expected.pk]
        assert numbers(agent.user, "Calme Heron") == [expected.pk]
        assert numbers(agent.user, "Hirondelle calme") == [other.pk]
        assert numbers(agent.user, "calme") == []
    with translation.override("en"):
        assert numbers(agent.user, "calm heron") == [expected.pk]
        assert numbers(agent.user, "héron calme") == []
    # A visitor who has given a name no longer has the alias.
    Visitor.objects.filter(pk=expected.visitor_id).update(name="Jeanne")
    with translation.override("en"):
        assert numbers(agent.user, "calm heron") == []


def test_identified_customer_is_found_only_by_authorized_users(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    expected = conversation_with(step, agent, "Bonjour")
    expected.visitor.person = Person.objects.create(
        website=step.rule.website,
        external_id="CUST-0042",
        profile={"email": "Jeanne.Martin@Example.org", "vip": True},
        created_at=NOW,
    )
    expected.visitor.save()
    stranger = AgentFactory().user
    for query in ("jeanne.martin@example.org", "martin", "CUST-0042", "cust0042", "0042"):
        assert numbers(agent.user, query) == [expected.pk], query
        assert numbers(manager, query) == [expected.pk], query
        assert numbers(stranger, query) == [], query
    assert numbers(agent.user, "martin@example.com") == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("lampe", "messages_by_words"),
        ("AB-1234-Z", "messages_by_words"),
        ("配送状況", "messages_by_words"),
    ],
)
def test_search_uses_indexes(query: str, index: str) -> None:
    rows = Message.objects.order_by().filter(Saying(Words(F("body")), sought(query)))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in rows.explain()
    people = Person.objects.filter(Saying(Words(KT("profile__email")), sought(query)))
    assert "persons_by_email" in people.order_by().explain()
    ids = Person.objects.filter(Saying(Words(F("external_id")), sought(query)))
    assert "persons_by_words" in ids.order_by().explain()
    addresses = Address.objects.filter(Saying(Words(F("email")), sought(query)))
    assert "addresses_by_words" in addresses.order_by().explain()


def test_search_finds_only_visible_conversations(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    elsewhere = StepFactory()
    number = conversation_with(step, agent, "hippopotame").pk
    conversation_with(elsewhere, AgentFactory(), "hippopotame")
    colleague = AgentFactory()
    step.group.members.add(colleague)
    for user, sees in (
        (agent.user, True),
        (colleague.user, True),
        (manager, True),
        (AgentFactory().user, False),
        (UserFactory(role="manager"), False),
    ):
        for query in ("hippopotame", f"#{number}"):
            assert numbers(user, query) == ([number] if sees else [])
    assert len(numbers(UserFactory(role="admin"), "hippopotame")) == 2


def test_filters_restrict_the_results(step: RuleStep, agent: Agent) -> None:
    active = conversation_with(step, agent, "lampe").pk
    waiting = queued(step, at=NOW - timedelta(days=3)).pk
    day = NOW.date()
    for filters, expected in [
        ({"status": "queued"}, [waiting]),
        ({"agent": agent}, [active]),
        ({"group": step.group}, [waiting, active]),
        ({"group": StepFactory(rule=step.rule).group}, []),
        ({"since": day}, [active]),
        ({"until": day - timedelta(days=3)}, [waiting]),
        ({"since": day - timedelta(days=3), "until": day}, [waiting, active]),
        ({"before": waiting}, [active]),
    ]:
        assert numbers(agent.user, **filters) == expected, filters  # type: ignore[arg-type]


def test_agent_finds_transferred_conversations(step: RuleStep, agent: Agent) -> None:
    from conversations.lifecycle import actors, verbs

    number = conversation_with(step, agent, "lampe").pk
    verbs.transfer_to_group(
        number, group=step.group, queue_id=None, actor=actors.agent(agent.user), at=NOW
    )
    assert numbers(agent.user, agent=agent) == [number]


@pytest.mark.parametrize("count", [1, 3])
def test_result_pages_are_contiguous_with_constant_queries(
    step: RuleStep,
    agent: Agent,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    numbers = [conversation_with(step, agent, "une lampe").pk for _ in range(2 * count)]
    monkeypatch.setattr(search, "PAGE", count)
    with django_assert_num_queries(5):
        first = find(Search("lampe"), agent.user)
    second = find(Search("lampe", before=first.before), agent.user)
    shown = [row.conversation.pk for row in (*first.rows, *second.rows)]
    assert shown == numbers[::-1]
    assert second.before is None


def test_highlighted_text_is_escaped(browser: Browser, step: RuleStep, agent: Agent) -> None:
    conversation_with(step, agent, "<img src=x onerror=alert(1)> la <b>lampe</b> & l'été")
    shown = browser(agent.user).get("/desk/find/", {"q": "lampe <img onerror"}).content.decode()
    assert "<mark>lampe</mark>" in shown
    assert "<mark>img</mark>" in shown or "&lt;img" in shown
    assert "<img" not in shown
    assert "<b>" not in shown


def test_the_page_shows_errors_and_keeps_the_query(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation_with(step, agent, "lampe")
    query = {"q": "lampe", "since": "2026-02-31", "group": "999999", "until": "x'--"}
    page = browser(agent.user).get("/desk/find/", query, headers={"HX-Request": ""})
    shown = page.content.decode()
    assert page.status_code == 200
    assert shown.count('class="error"') == 3
    assert 'value="lampe"' in shown
    assert "Invalid search" in shown


@pytest.mark.parametrize(
    "query",
    [{"before": "-1"}, {"q": "x" * 201}, {"status": "agent__user__password"}, {"before": "1e3"}],
)
def test_invalid_query_finds_nothing(
    browser: Browser, step: RuleStep, agent: Agent, query: dict[str, str]
) -> None:
    number = conversation_with(step, agent, "x").pk
    page = browser(agent.user).get("/desk/find/", query)
    assert page.status_code == 200
    assert f"/desk/c/{number}/" not in page.content.decode()


def test_slow_search_asks_for_a_narrower_query(
    browser: Browser, step: RuleStep, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        conversation_with(step, agent, "lampe " * 600)
    monkeypatch.setattr(search, "PATIENCE", "1ms")
    page = browser(agent.user).get("/desk/find/", {"q": "lampe"}, headers={"HX-Request": ""})
    assert "Too many results" in page.content.decode()


@given(st.text(max_size=400), st.lists(st.text(min_size=1, max_size=5), max_size=3))
def test_excerpt_is_part_of_the_text(text: str, words: list[str]) -> None:
    pieces = cut(text, sought(" ".join(words)))
    shown = "".join(piece.text for piece in pieces)
    assert shown.removeprefix("… ").removesuffix(" …") in text


def test_an_excerpt_shows_the_matching_words() -> None:
    text = "a " * 200 + "Ma LAMPE cassée, et des lampes. " + "z " * 200
    pieces = cut(text, sought("lampe cassee"))
    assert [piece.text for piece in pieces if piece.is_found] == ["LAMPE", "cassée", "lampes"]
    assert (pieces[0].text, pieces[-1].text) == ("… ", " …")
    assert cut("Cœur ouvert", sought("coeur"))[0].text == "Cœur"
