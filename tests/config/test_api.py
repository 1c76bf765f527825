"""The public API: closed by default, one shape of errors, cursor pagination, why conversations
wait."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.lifecycle.transitions import Status
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, in_status, queued

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LIST = "/api/v1/conversations/"


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory(places=2, group__name="Conseil", rule__name="Accueil")


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_requests_without_a_session_are_refused(step: RuleStep) -> None:
    number = queued(step).pk
    for path in (LIST, f"{LIST}{number}/", f"{LIST}{number}/why/"):
        answer = Client().get(path)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "session"
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_conversation_of_another_website_is_not_found(step: RuleStep, agent: Agent) -> None:
    foreign = queued(StepFactory())
    mine = queued(step)
    client = as_user(agent.user)
    assert [row["number"] for row in client.get(LIST).json()["results"]] == [mine.pk]
    for number in (foreign.pk, foreign.pk + 1000, 10**30):
        for path in (f"{LIST}{number}/", f"{LIST}{number}/why/"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_one_conversation_has_the_public_fields(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    answer = as_user(agent.user).get(f"{LIST}{conversation.pk}/").json()
    assert answer == {
        "number": conversation.pk,
        "website": step.rule.website.key,
        "status": "queued",
        "channel": "chat",
        "style": "live",
        "language": "fr",
        "is_asynchronous": True,
        "is_return": False,
        "group": "Conseil",
        "group_id": step.group_id,
        "agent": None,
        "agent_id": None,
        "visitor": str(conversation.visitor.public_id),
        "customer": None,
        "required_skills": [],
        "page_url": "",
        "last_seq": 0,
        "opened_at": "2035-03-05T09:00:00Z",
        "queued_at": "2035-03-05T09:00:00Z",
        "moved_at": "2035-03-05T09:00:00Z",
        "closed_at": None,
        "deadline_at": None,
        "deadline_kind": "",
        "close_reason": "",
        "tags": [],
        "imported_from": "",
        "imported_id": "",
    }


def test_lists_are_paginated_by_cursor(step: RuleStep, agent: Agent) -> None:
    numbers = [queued(step).pk for _ in range(3)]
    client = as_user(agent.user)
    first = client.get(LIST, {"page_size": 2}).json()
    assert [row["number"] for row in first["results"]] == numbers[:0:-1]
    queued(step)
    second = client.get(f"{LIST}?{urlsplit(first['next']).query}").json()
    assert [row["number"] for row in second["results"]] == numbers[:1]
    assert second["next"] is None


def test_a_list_is_filtered_only_by_documented_parameters(step: RuleStep, agent: Agent) -> None:
    waiting = in_status(Status.QUEUED, step, agent)
    held = in_status(Status.ACTIVE, step, agent)
    client = as_user(agent.user)
    assert [row["number"] for row in client.get(LIST, {"status": "active"}).json()["results"]] == [
        held.pk
    ]
    assert len(client.get(LIST).json()["results"]) == len([held, waiting])
    odd = client.get(LIST, {"agent__user__password": "x", "ordering": "visitor"})
    assert odd.status_code == 400
    assert set(odd.json()["fields"]) == {"agent__user__password", "ordering"}
    wrong = client.get(LIST, {"status": "'; DROP"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["code"] == "invalid"
    assert "status" in wrong.json()["error"]["fields"]


@pytest.mark.parametrize("cursor", ["x", "r=1", "cD1hYmM=", "cD0tMQ=="])
def test_an_invalid_cursor_is_not_found(cursor: str, step: RuleStep, agent: Agent) -> None:
    answer = as_user(agent.user).get(f"{LIST}?cursor={cursor}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_why_explains_a_waiting_conversation(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    client = as_user(agent.user)
    answer = client.get(f"{LIST}{conversation.pk}/why/").json()
    assert answer["summary"].startswith("No one in the group Conseil can take it at the moment")
    assert answer["queue"] == {
        "rule": "Accueil",
        "group": "Conseil",
        "places": 2,
        "waiting": 1,
        "returned": 0,
    }
    assert answer["agents"] == [
        {
            "agent_id": agent.pk,
            "name": "Alice",
            "is_able": False,
            "reasons": [{"code": "offline", "text": "offline"}],
        }
    ]
    assert (answer["rank"], answer["queue_text"], answer["is_fault"]) == (1, "1/2", False)
    french = client.get(f"{LIST}{conversation.pk}/why/", headers={"Accept-Language": "fr"}).json()
    assert french["agents"][0]["reasons"] == [{"code": "offline", "text": "hors ligne"}]
    assert french["remedies"] == ["Alice ouvre son pupitre."]


def test_why_gives_the_time_left_of_an_assigned_conversation(step: RuleStep, agent: Agent) -> None:
    number = in_status(Status.ASSIGNED, step, agent).pk
    answer = as_user(agent.user).get(f"{LIST}{number}/why/").json()
    assert (answer["status"], answer["seconds_left"]) == ("assigned", 24 * 3600)


def test_why_is_refused_for_a_conversation_that_does_not_wait(step: RuleStep, agent: Agent) -> None:
    number = in_status(Status.ACTIVE, step, agent).pk
    answer = as_user(agent.user).get(f"{LIST}{number}/why/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_writing_methods_are_not_allowed(method: str, step: RuleStep) -> None:
    number = queued(step).pk
    client = as_user(UserFactory(role=Role.ADMIN))
    for path in (f"{LIST}{number}/", f"{LIST}{number}/why/"):
        answer = getattr(client, method)(
            path, {"status": "closed"}, content_type="application/json"
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/x", "/api/v1/conversations/x/"])
def test_an_unknown_address_gets_a_json_error(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_the_schema_is_generated_without_warnings(capsys: Any) -> None:
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert set(schema["paths"]) == {
        "/api/v1/conversations/",
        "/api/v1/conversations/{number}/",
        *(
            f"/api/v1/conversations/{{number}}/{part}/"
            for part in (
                *("messages", "files/{file}", "notes", "events", "contacts", "why"),
                "templates",
                *("snooze", "pending", "on-hold", "solve", "close", "transfer"),
                *("take", "resume", "wake", "release", "block"),
            )
        ),
        "/api/v1/charts/{name}.{kind}",
        "/api/v1/events/",
        "/api/v1/exports/",
        "/api/v1/exports/{number}/",
        "/api/v1/exports/{number}/file/",
        "/api/v1/tables/{name}.{kind}",
        "/api/v1/figures/",
        "/api/v1/figures/{name}/",
        "/api/v1/transactions/",
        "/api/v1/transactions/{number}/",
        "/api/v1/transactions/{number}/refunds/",
        "/api/v1/webhooks/",
        "/api/v1/webhooks/{number}/",
        "/api/v1/webhooks/{number}/deliveries/",
        "/api/v1/webhooks/{number}/deliveries/{delivery}/send-again/",
        *(
            f"/api/v1/webhooks/{{number}}/{verb}/"
            for verb in ("replay", "resume", "rotate", "test")
        ),
        *(
            path
            for noun in (
                *("agents", "groups", "holidays", "skills", "rules", "targeting-rules"),
                *("replies", "articles", "tags", "visitors", "persons", "blocks"),
            )
            for path in (f"/api/v1/{noun}/", f"/api/v1/{noun}/{{number}}/")
        ),
        "/api/v1/agents/{number}/availability/",
        "/api/v1/conversations/{number}/tags/",
        "/api/v1/conversations/{number}/tags/{tag}/",
        "/api/v1/conversations/{number}/tag-changes/",
        "/api/v1/tags/{number}/merge/",
        "/api/v1/blocks/{number}/lift/",
        *(
            f"/api/v1/{noun}/{{number}}/{part}/"
            for noun in ("visitors", "persons")
            for part in ("data", "erase")
        ),
        "/api/v1/subscriptions/",
        "/api/v1/subscriptions/{report}/",
    }
    assert "Warning" not in capsys.readouterr().err
    assert Client().get("/api/v1/schema/").status_code == 200


def test_the_docs_page_loads_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "<style" not in text
    assert "http://" not in text
    assert "https://" not in text


def test_a_list_takes_a_constant_number_of_queries(
    step: RuleStep, django_assert_num_queries: Any
) -> None:
    client = as_user(UserFactory(role=Role.ADMIN))
    queued(step)
    with django_assert_num_queries(5):  # session, user, rule of logins, list, tags
        client.get(LIST)
    for _ in range(2):
        queued(StepFactory(), at=NOW)
    with django_assert_num_queries(5):
        assert len(client.get(LIST).json()["results"]) == 3
