"""Tokens: what they open, what they never open, and that they are stored as hashes only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts import tokens
from accounts.models import Agent, ApiToken, Change, Role, ServiceAccount
from routing.models import RuleStep
from tests.api_clients import EVERY_SCOPE, post, with_token
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import PASSWORD, AgentFactory, StepFactory, UserFactory, queued
from tests.logins import log_in_freshly

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LIST = "/api/v1/conversations/"


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


def numbers(client: Client) -> list[int]:
    return [row["number"] for row in client.get(LIST).json()["results"]]


def test_a_token_opens_what_its_owner_sees(step: RuleStep, agent: Agent) -> None:
    mine = queued(step)
    foreign = queued(StepFactory())
    client = with_token(agent.user)
    assert numbers(client) == [mine.pk]
    assert client.get(f"{LIST}{foreign.pk}/").status_code == 404


def test_only_the_hash_is_stored(agent: Agent) -> None:
    token, text = tokens.make(agent.user, name="t", scopes=EVERY_SCOPE, at=NOW)
    assert text.startswith("causerie_")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t::text FROM accounts_apitoken t UNION SELECT c::text FROM accounts_change c"
        )
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert text not in stored
    assert text.removeprefix("causerie_") not in stored
    change = Change.objects.filter(model="accounts.apitoken").get()
    assert change.after is not None
    assert change.after["digest"] == "•••"
    assert token.ending == text[-4:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: tokens.revoke(ApiToken.objects.filter(pk=token.pk), at=NOW),
        lambda token: ApiToken.objects.filter(pk=token.pk).update(expires_at=NOW),
        lambda token: type(token.owner).objects.filter(pk=token.owner_id).update(is_active=False),
        lambda token: token.delete(),
    ],
    ids=["revoked", "expired", "inactive owner", "deleted"],
)
def test_a_spoilt_token_opens_nothing(spoil: Any, step: RuleStep, agent: Agent) -> None:
    client = with_token(agent.user, expires_at=NOW + timedelta(days=1))
    assert client.get(LIST).status_code == 200
    spoil(ApiToken.objects.get())
    answer = client.get(LIST)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "token"


def test_a_wrong_token_is_refused_even_beside_a_session(agent: Agent) -> None:
    client = Client(headers={"Authorization": f"Bearer {tokens.PREFIX}wrong"})
    client.force_login(agent.user)
    assert client.get(LIST).status_code == 401


def test_scopes_limit_nouns_and_writing(step: RuleStep, agent: Agent) -> None:
    queued(step)
    reads = with_token(agent.user, scopes=["conversations:read"])
    assert reads.get(LIST).status_code == 200
    number = numbers(reads)[0]
    for refused in (
        post(reads, f"{LIST}{number}/messages/", {"id": "x"}),
        reads.get("/api/v1/exports/"),
        reads.get("/api/v1/figures/"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "scope")
    writes = with_token(agent.user, scopes=["conversations:write"])
    assert writes.get(LIST).status_code == 200
    assert post(writes, f"{LIST}{number}/messages/", {"id": "x"}).status_code == 400


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER, Role.AGENT])
def test_websites_limit_what_a_token_sees(role: str, step: RuleStep, agent: Agent) -> None:
    other = StepFactory()
    user = agent.user
    user.role = role
    user.save()
    for one in (step, other):
        one.group.members.add(agent)
        one.group.managers.add(user)
    here, there = queued(step), queued(other)
    assert set(numbers(with_token(user))) == {here.pk, there.pk}
    client = with_token(user, websites=[step.rule.website])
    assert numbers(client) == [here.pk]
    assert client.get(f"{LIST}{there.pk}/").status_code == 404
    figure = "/api/v1/figures/opened/"
    foreign = client.get(figure, {"website": other.rule.website_id})
    assert (foreign.status_code, "website" in foreign.json()["fields"]) == (400, True)


def test_a_limited_token_whose_website_is_gone_opens_nothing(step: RuleStep) -> None:
    user = UserFactory(role=Role.ADMIN)
    queued(step)
    client = with_token(user, websites=[step.rule.website])
    ApiToken.objects.get().websites.clear()  # as the deletion of the website does
    assert numbers(client) == []


def test_a_limited_token_exports_only_its_website(step: RuleStep) -> None:
    user = UserFactory(role=Role.ADMIN)
    other = StepFactory()
    wish = {"subject": "conversations", "kind": "csv"}
    whole = with_token(user)
    assert post(whole, "/api/v1/exports/", wish).status_code == 201
    client = with_token(user, websites=[step.rule.website])
    assert "website" in post(client, "/api/v1/exports/", wish).json()["fields"]
    assert (
        post(client, "/api/v1/exports/", wish | {"website": other.rule.website_id}).status_code
        == 400
    )
    mine = post(client, "/api/v1/exports/", wish | {"website": step.rule.website_id})
    assert mine.status_code == 201
    assert [row["id"] for row in client.get("/api/v1/exports/").json()["results"]] == [
        mine.json()["id"]
    ]
    assert len(whole.get("/api/v1/exports/").json()["results"]) == 2


def test_the_last_use_is_noted_once_a_minute(step: RuleStep, agent: Agent, clock: Any) -> None:  # noqa: F811
    client = with_token(agent.user)
    assert ApiToken.objects.get().last_used_at is None
    client.get(LIST)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=59))
    client.get(LIST)
    assert ApiToken.objects.get().last_used_at == first - timedelta(seconds=59)
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=60))
    client.get(LIST)
    assert ApiToken.objects.get().last_used_at == first


# --- The administration


@pytest.fixture
def browser() -> Client:
    client = Client()
    log_in_freshly(client, UserFactory(role=Role.ADMIN))
    return client


def test_a_token_is_shown_once(browser: Client, step: RuleStep, agent: Agent) -> None:
    form = {
        "name": "CRM", "owner": agent.user_id, "scopes": ["conversations:read"],
        "websites": [step.rule.website_id], "expires_at_0": "", "expires_at_1": "",
    }  # fmt: skip
    page = browser.post("/admin/accounts/apitoken/add/", form)
    text = page.context["text"]
    assert text in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    queued(step)
    assert Client(headers={"Authorization": f"Bearer {text}"}).get(LIST).status_code == 200
    listed = browser.get("/admin/accounts/apitoken/").content.decode()
    assert text not in listed
    assert "CRM" in listed
    assert step.rule.website.name in listed
    token = ApiToken.objects.get()
    assert (token.scopes, token.has_every_website) == (["conversations:read"], False)
    browser.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": token.pk})
    assert Client(headers={"Authorization": f"Bearer {text}"}).get(LIST).status_code == 401


def test_a_token_needs_a_permission(browser: Client, agent: Agent) -> None:
    form = {"name": "CRM", "owner": agent.user_id, "expires_at_0": "", "expires_at_1": ""}
    page = browser.post("/admin/accounts/apitoken/add/", form)
    assert "scopes" in page.context["adminform"].form.errors
    assert not ApiToken.objects.exists()


def test_nobody_logs_in_as_a_service_account(browser: Client) -> None:
    form = {"first_name": "Shop sync", "role": "manager", "is_active": "on"}
    assert browser.post("/admin/accounts/serviceaccount/add/", form).status_code == 302
    account = ServiceAccount.objects.get()
    assert (account.first_name, account.is_service, account.role) == ("Shop sync", True, "manager")
    assert not account.has_usable_password()
    answer = Client().post("/login/", {"username": account.username, "password": PASSWORD})
    assert answer.status_code == 200  # the form again
    listed = browser.get("/admin/accounts/user/").content.decode()
    assert account.username not in listed
    assert browser.get(f"/admin/accounts/user/{account.pk}/password/").status_code in {302, 404}
    account.set_password(PASSWORD)
    with pytest.raises(IntegrityError), transaction.atomic():
        account.save()
