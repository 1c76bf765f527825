"""Refusals as errors of the API: sentences in the language of the request, and 400 for mistakes."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Agent
from desk import search
from routing.models import RuleStep
from tests.api_clients import post, with_token
from tests.factories import AgentFactory, StepFactory, on_desk

pytestmark = pytest.mark.django_db
LIST = "/api/v1/conversations/"


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


@pytest.fixture
def client(agent: Agent) -> Client:
    return with_token(agent.user)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "This parameter does not exist."), ("fr", "Ce paramètre n’existe pas.")],
)
def test_a_misspelt_filter_is_refused(client: Client, language: str, sentence: str) -> None:
    """Ignored, it would answer with more conversations than were asked for."""
    response = client.get(LIST, {"staus": "active"}, headers={"Accept-Language": language})
    assert response.status_code == 400
    assert response.json()["fields"] == {"staus": [sentence]}


def test_parameters_of_paging_are_no_filters(client: Client) -> None:
    assert client.get(LIST, {"page_size": "5", "format": "json"}).status_code == 200


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "This search takes too long. Narrow it."),
        ("fr", "Cette recherche prend trop de temps. Affinez-la."),
    ],
)
def test_a_slow_search_is_to_be_narrowed(
    client: Client, monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
) -> None:
    monkeypatch.setattr(search, "PATIENCE", "20ms")
    slow = search.matching

    def matching(*arguments: object) -> object:
        # A condition of its own, so that PostgreSQL waits even without a row.
        return slow(*arguments).extra(where=["(SELECT pg_sleep(5)) IS NULL"])  # type: ignore[arg-type]

    monkeypatch.setattr(search, "matching", matching)
    response = client.get(LIST, {"q": "parcel"}, headers={"Accept-Language": language})
    assert response.status_code == 400
    assert response.json()["fields"] == {"q": [sentence]}


def test_what_the_lifecycle_refuses_is_a_conflict_with_its_sentence(
    client: Client, step: RuleStep, agent: Agent
) -> None:
    colleague: Agent = AgentFactory()
    theirs = on_desk(step, colleague)
    response = post(client, f"{LIST}{theirs.pk}/close/")
    answer = response.json()
    assert (response.status_code, answer["code"]) == (409, "refused")
    assert answer["detail"] == answer["error"]["message"] != ""


def test_a_conversation_of_another_team_does_not_exist(client: Client) -> None:
    stranger: Agent = AgentFactory()
    other = on_desk(StepFactory(), stranger)
    assert post(client, f"{LIST}{other.pk}/close/").status_code == 404
