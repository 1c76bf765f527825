"""Access to figures by page, list, file and API, with and without asking for others'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client

from accounts.models import Role, User
from conversations.lifecycle import actors, verbs
from conversations.models import CloseReason, Conversation
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@dataclass
class Brands:
    """Two brands. At the first, Alice and Bruno have each closed one conversation; at the second,
    Carla."""

    users: dict[str, User] = field(default_factory=dict)
    closed: dict[str, Conversation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first, second = StepFactory(), StepFactory()
        for name, step in (("alice", first), ("bruno", first), ("carla", second)):
            agent = AgentFactory(display_name=name)
            step.group.members.add(agent)
            one = on_desk(step, agent, at=NOW)
            actor = actors.agent(agent.user)
            verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actor, at=NOW)
            self.users[name], self.closed[name] = agent.user, one
        for name, steps in (("first", [first]), ("both", [first, second]), ("none", [])):
            manager = UserFactory(role=Role.MANAGER)
            for step in steps:
                step.group.managers.add(manager)
            self.users[name] = manager
        self.users["admin"] = UserFactory(role=Role.ADMIN)
        self.users["newcomer"] = AgentFactory().user
        self.users["gone"] = UserFactory(role=Role.ADMIN, is_active=False)
        self.second = second


@pytest.fixture
def brands() -> Brands:
    return Brands()


SEES = {
    "admin": {"alice", "bruno", "carla"},
    "both": {"alice", "bruno", "carla"},
    "first": {"alice", "bruno"},
    "none": set[str](),
    "alice": {"alice"},
    "bruno": {"bruno"},
    "carla": {"carla"},
    "newcomer": set[str](),
}


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def by_api(user: User) -> int:
    n: int = as_user(user).get("/api/v1/figures/closed/?period=today").json()["n"]
    return n


def by_list(user: User) -> int:
    page = as_user(user).get("/reports/rows/closed/?period=today")
    n: int = page.context["page"].paginator.count
    return n


@async_to_sync
async def by_file(user: User) -> int:
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get("/reports/rows/closed.csv?period=today")
    assert isinstance(response, StreamingHttpResponse)
    body = b"".join([block async for block in response.streaming_content])  # type: ignore[union-attr]
    return body.count(b"\n") - 1


@pytest.mark.parametrize("ask", [by_api, by_list, by_file])
def test_users_see_only_their_own_conversations(brands: Brands, ask: Callable[[User], int]) -> None:
    assert {reader: ask(brands.users[reader]) for reader in SEES} == {
        reader: len(sees) for reader, sees in SEES.items()
    }


@pytest.mark.parametrize("reader", ["first", "alice", "none", "newcomer"])
def test_filters_give_no_access_to_another_website(brands: Brands, reader: str) -> None:
    client, second = as_user(brands.users[reader]), brands.second
    carla = brands.users["carla"].agent
    for query in (
        f"website={second.rule.website_id}",
        f"group={second.group_id}",
        f"rule={second.rule_id}",
        f"agent={carla.pk}",
    ):
        answer = client.get(f"/api/v1/figures/closed/?period=today&{query}")
        page = client.get(f"/reports/rows/closed/?period=today&{query}")
        numbers = [line.number for line in page.context["lines"]]
        assert brands.closed["carla"].pk not in numbers, query
        assert answer.status_code == 400 or answer.json()["n"] == len(SEES[reader]), query


def test_parts_include_only_visible_agents(brands: Brands) -> None:
    for reader, names in (("first", ["alice", "bruno"]), ("alice", ["alice"])):
        answer = as_user(brands.users[reader]).get("/api/v1/figures/closed/?period=today&by=agent")
        assert [part["label"] for part in answer.json()["parts"]] == names


def test_the_api_returns_value_trend_and_definitions(brands: Brands) -> None:
    client = as_user(brands.users["admin"])
    body = client.get("/api/v1/figures/closed/?period=today&step=hour").json()
    assert (body["value"], body["n"], body["unit"]) == (3, 3, "count")
    assert body["first"] == body["last"] == "2035-03-05"
    assert (len(body["trend"]), sum(point["n"] for point in body["trend"])) == (24, 3)
    listed = client.get("/api/v1/figures/").json()
    assert {"closed", "csat", "occupancy"} < {one["name"] for one in listed}
    assert all(one["definition"] for one in listed)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("happiness/", 404),
        ("closed/?period=custom", 400),
        ("closed/?period=never", 400),
        ("closed/?by=colour", 400),
        ("closed/?website=x", 400),
        ("closed/?currency=euros", 400),
    ],
)
def test_an_invalid_query_is_a_400(brands: Brands, query: str, status: int) -> None:
    assert as_user(brands.users["admin"]).get(f"/api/v1/figures/{query}").status_code == status


def test_users_without_access_are_refused(brands: Brands) -> None:
    for client in (Client(), as_user(brands.users["gone"])):
        assert client.get("/api/v1/figures/closed/").status_code == 401
        assert client.get("/reports/rows/closed/").status_code == 302
    for reader in ("alice", "newcomer"):
        for page in (
            "experience",
            "conversations",
            "agents",
            "calls",
            "deflection",
            "reasons",
            "transactions",
            "production",
        ):
            answer = as_user(brands.users[reader]).get(f"/reports/{page}/")
            assert answer.status_code == 404
