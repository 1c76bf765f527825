"""Visitors, persons and blocks in the API, and the user's own reports by e-mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.lifecycle import actors, verbs
from conversations.models import Block, CloseReason, Conversation, Erasure, Event, Person, Visitor
from reporting.models import Subscription
from routing.models import RuleStep
from tests.api_clients import EVERY_SCOPE, with_token
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    SkillFactory,
    StepFactory,
    UserFactory,
    VisitorFactory,
    on_desk,
    queued,
)
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db
API = "/api/v1"


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return getattr(client, method)(
        f"{API}/{path}", body or {}, content_type="application/json", headers=headers
    )


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


@pytest.fixture
def person(step: RuleStep) -> Person:
    person = Person.objects.create(
        website=step.rule.website, external_id="c-1", name="Ada", created_at=NOW
    )
    VisitorFactory(website=step.rule.website, person=person, name="Ada")
    return person


@pytest.fixture
def root() -> User:
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def admin(root: User) -> Client:
    return with_token(root)


# --- Visitors and persons


def test_visitors_and_persons_are_found_by_the_brands_own_id(admin: Client, person: Person) -> None:
    VisitorFactory(website=person.website)
    visitor = person.visitors.get()
    found = admin.get(f"{API}/visitors/", {"customer": "c-1"}).json()["results"]
    assert [row["id"] for row in found] == [str(visitor.public_id)]
    assert (found[0]["customer"], found[0]["person_id"]) == ("c-1", person.pk)
    assert len(admin.get(f"{API}/visitors/").json()["results"]) == 2
    known = admin.get(f"{API}/persons/", {"website": person.website.key, "customer": "c-1"})
    assert known.json()["results"][0]["visitors"] == [str(visitor.public_id)]
    assert "token_hash" not in str(found)


@pytest.mark.parametrize("role", [Role.AGENT, Role.MANAGER, Role.REVIEWER])
def test_other_roles_find_nobody(role: Role, step: RuleStep, person: Person) -> None:
    user = UserFactory(role=role)
    step.group.managers.add(user)
    client = with_token(user)
    visitor = person.visitors.get()
    for noun, number in (("persons", person.pk), ("visitors", visitor.public_id)):
        assert client.get(f"{API}/{noun}/").json()["results"] == []
        for part in ("", "data/"):
            assert client.get(f"{API}/{noun}/{number}/{part}").status_code == 404
        assert send(client, "post", f"{noun}/{number}/erase/").status_code in {403, 404}
    assert Person.objects.exists()


def test_the_brands_data_of_a_person_is_changed(admin: Client, person: Person) -> None:
    path = f"persons/{person.pk}/"
    etag = admin.get(f"{API}/{path}")["ETag"]
    body = {"name": "Ada L.", "profile": {"plan": "gold", "orders": 3, "vip": True}}
    changed = send(admin, "patch", path, body, **{"If-Match": etag})
    assert changed.status_code == 200
    assert {name: changed.json()[name] for name in body} == body
    assert Visitor.objects.get().name == "Ada L."
    assert send(admin, "patch", path, body, **{"If-Match": etag}).status_code == 412
    assert send(admin, "patch", path, {"name": "A"}).json()["profile"] == body["profile"]


@pytest.mark.parametrize(
    "profile",
    [
        {"a": "x" * 201},
        {"a": None},
        {"a": ["x"]},
        {"a": 1e16},
        {"": "x"},
        {f"k{n}": n for n in range(31)},
        "x",
    ],
)
def test_the_brands_data_is_flat_and_bounded(profile: Any, admin: Client, person: Person) -> None:
    refused = send(admin, "patch", f"persons/{person.pk}/", {"profile": profile})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["profile"])


def test_everything_about_a_person_is_exported_and_erased(
    admin: Client, root: User, step: RuleStep, agent: Agent, person: Person
) -> None:
    talk = on_desk(step, agent, visitor=person.visitors.get())
    copy = admin.get(f"{API}/persons/{person.pk}/data/")
    assert copy["Cache-Control"] == "no-store"
    assert copy.json()["tables"]["conversations.conversation"][0]["id"] == talk.pk
    refused = send(admin, "post", f"persons/{person.pk}/erase/")
    assert (refused.status_code, refused.json()["code"]) == (409, "refused")
    assert f"#{talk.pk}" in refused.json()["detail"]
    verbs.close(talk.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=NOW)
    erased = send(admin, "post", f"persons/{person.pk}/erase/")
    assert erased.status_code == 200
    assert erased.json()["rows"]["conversations.conversation"] == 1
    assert not Person.objects.exists()
    assert not Conversation.objects.exists()
    assert Erasure.objects.get().erased_by == root


def test_a_visitor_without_a_person_is_erased_alone(admin: Client, person: Person) -> None:
    stranger = VisitorFactory(website=person.website)
    assert send(admin, "post", f"visitors/{stranger.public_id}/erase/").status_code == 200
    assert list(Visitor.objects.all()) == list(person.visitors.all())


def test_personal_data_needs_a_permission_of_its_own(root: User, person: Person) -> None:
    client = with_token(root, scopes=[s for s in EVERY_SCOPE if not s.startswith("personal")])
    reader = with_token(root, scopes=["personal-data:read"])
    path = f"persons/{person.pk}"
    assert client.get(f"{API}/{path}/").status_code == 200
    assert client.get(f"{API}/{path}/data/").status_code == 403
    assert reader.get(f"{API}/{path}/data/").status_code == 200
    for one in (client, reader):
        assert send(one, "post", f"{path}/erase/").status_code == 403
    assert Person.objects.exists()


def test_a_session_erases_only_with_a_fresh_proof(root: User, person: Person) -> None:
    stale, fresh = Client(), Client()
    stale.force_login(root)
    assert send(stale, "post", f"persons/{person.pk}/erase/").status_code == 403
    assert Person.objects.exists()
    log_in_freshly(fresh, root)
    assert send(fresh, "post", f"persons/{person.pk}/erase/").status_code == 200


def test_auditors_export_and_do_not_erase(person: Person) -> None:
    client = with_token(UserFactory(role=Role.AUDITOR))
    assert client.get(f"{API}/persons/{person.pk}/data/").status_code == 200
    assert send(client, "post", f"persons/{person.pk}/erase/").status_code == 403
    assert send(client, "patch", f"persons/{person.pk}/", {"name": "x"}).status_code == 403
    assert Person.objects.get().name == "Ada"


# --- Blocks


def test_a_visitor_is_blocked_from_a_conversation_and_the_block_lifted(
    step: RuleStep, agent: Agent, admin: Client, root: User
) -> None:
    talk = on_desk(step, agent)
    client = with_token(agent.user)
    path = f"conversations/{talk.pk}/block/"
    past = {"reason": "x", "until": "2001-01-01T00:00:00Z"}
    assert list(send(client, "post", path, past).json()["fields"]) == ["until"]
    assert send(admin, "post", path, {"reason": "x"}).status_code == 409  # not on their desk
    blocked = send(client, "post", path, {"reason": "Insults"})
    assert (blocked.status_code, blocked.json()["status"]) == (200, "closed")
    assert client.get(f"{API}/blocks/").json()["results"] == []
    listed = admin.get(f"{API}/blocks/", {"in_force": True}).json()["results"]
    assert [(one["reason"], one["conversation"]) for one in listed] == [("Insults", talk.pk)]
    lifted = send(admin, "post", f"blocks/{listed[0]['id']}/lift/")
    assert lifted.json()["lifted_at"] is not None
    assert Block.objects.get().lifted_by == root
    again = send(admin, "post", f"blocks/{listed[0]['id']}/lift/")
    assert again.json() == lifted.json()
    assert admin.get(f"{API}/blocks/", {"in_force": True}).json()["results"] == []
    assert len(admin.get(f"{API}/blocks/", {"in_force": False}).json()["results"]) == 1


def test_managers_lift_blocks_of_what_they_oversee(step: RuleStep, agent: Agent) -> None:
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    GroupFactory(website=step.rule.website)  # so that they do not oversee the whole website
    talk = on_desk(step, agent)
    send(with_token(agent.user), "post", f"conversations/{talk.pk}/block/", {"reason": "x"})
    number = Block.objects.get().pk
    reviewer = UserFactory(role=Role.REVIEWER)
    step.group.managers.add(reviewer)
    assert send(with_token(reviewer), "post", f"blocks/{number}/lift/").status_code == 403
    other = UserFactory(role=Role.MANAGER)
    GroupFactory(website=step.rule.website).managers.add(other)
    assert send(with_token(other), "post", f"blocks/{number}/lift/").status_code == 404
    assert Block.objects.get().lifted_at is None
    assert send(with_token(manager), "post", f"blocks/{number}/lift/").status_code == 200


# --- Required skills


def test_a_transfer_to_a_group_requires_the_skills_that_it_names(
    step: RuleStep, agent: Agent
) -> None:
    skill, foreign = SkillFactory(website=step.rule.website), SkillFactory()
    other = StepFactory(rule=step.rule, group__website=step.rule.website)
    talk = on_desk(step, agent)
    client = with_token(agent.user)
    path = f"conversations/{talk.pk}/transfer/"
    body = {"group": other.group_id}
    for wrong in ([foreign.pk], [10**9]):
        refused = send(client, "post", path, body | {"skills": wrong})
        assert list(refused.json()["fields"]) == ["skills"]
    colleague = AgentFactory()
    step.group.members.add(colleague)
    to_agent = {"agent": colleague.pk, "skills": [skill.pk]}
    assert list(send(client, "post", path, to_agent).json()["fields"]) == ["skills"]
    assert send(client, "post", path, body | {"skills": [skill.pk]}).status_code in {200, 204}
    talk.refresh_from_db()
    assert (talk.group_id, talk.required_skills) == (other.group_id, [skill.pk])
    assert Event.objects.filter(conversation=talk).latest("pk").actor_user_id == agent.user_id


def test_a_supervisor_requires_skills_as_well(step: RuleStep, admin: Client) -> None:
    skill = SkillFactory(website=step.rule.website)
    talk = queued(step)
    body = {"group": step.group_id, "skills": [skill.pk]}
    assert send(admin, "post", f"conversations/{talk.pk}/transfer/", body).status_code == 200
    talk.refresh_from_db()
    assert talk.required_skills == [skill.pk]


# --- Reports by e-mail


def test_a_report_is_subscribed_to_and_unsubscribed(step: RuleStep) -> None:
    boss = UserFactory(role=Role.MANAGER)
    step.group.managers.add(boss)
    client = with_token(boss)
    body = {"every": "week", "website": step.rule.website.key}
    assert send(client, "put", "subscriptions/agents/", body).status_code == 200
    assert send(client, "put", "subscriptions/agents/", {"every": "day"}).status_code == 200
    one = Subscription.objects.get()
    assert (one.user, one.every, one.website) == (boss, "day", None)
    (listed,) = client.get(f"{API}/subscriptions/").json()["results"]
    assert (listed["report"], listed["every"], listed["website"]) == ("agents", "day", None)
    assert (
        with_token(UserFactory(role=Role.ADMIN)).get(f"{API}/subscriptions/").json()["results"]
        == []
    )
    foreign = {"every": "day", "website": StepFactory().rule.website.key}
    assert send(client, "put", "subscriptions/agents/", foreign).status_code == 400
    assert send(client, "put", "subscriptions/nothing/", {"every": "day"}).status_code == 404
    assert send(client, "put", "subscriptions/agents/", {"every": "hour"}).status_code == 400
    assert send(client, "delete", "subscriptions/agents/").status_code == 204
    assert send(client, "delete", "subscriptions/agents/").status_code == 404


def test_agents_subscribe_to_nothing(agent: Agent) -> None:
    client = with_token(agent.user)
    assert send(client, "put", "subscriptions/agents/", {"every": "day"}).status_code == 404


def test_a_limited_token_subscribes_only_for_its_websites(step: RuleStep, root: User) -> None:
    client = with_token(root, websites=[step.rule.website])
    refused = send(client, "put", "subscriptions/agents/", {"every": "day"})
    assert list(refused.json()["fields"]) == ["website"]
    with_token(root)
    Subscription.objects.create(
        user=root, report="calls", every="day", next_at=NOW + timedelta(days=1)
    )
    assert client.get(f"{API}/subscriptions/").json()["results"] == []
    assert send(client, "delete", "subscriptions/calls/").status_code == 404
