"""SCIM 2.0 from outside: users and groups are created, changed and deactivated by a token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import Agent, Change, Role, User, Website
from conversations.lifecycle.transitions import Status
from routing.models import RuleStep
from tests.factories import (
    AgentFactory,
    GroupFactory,
    StepFactory,
    UserFactory,
    WebsiteFactory,
    on_desk,
)

pytestmark = pytest.mark.django_db
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ADA = {
    "schemas": [USER],
    "userName": "ada@example.com",
    "externalId": "00u1",
    "name": {"givenName": "Ada", "familyName": "Lemoine"},
    "emails": [
        {"value": "home@example.com", "type": "home"},
        {"value": "ada@example.com", "type": "work", "primary": True},
    ],
    "title": "Dr",
    "active": True,
}


class Directory:
    """A client of SCIM with a token."""

    def __init__(self, owner: User, *scopes: str, websites: tuple[Website, ...] = ()) -> None:
        _row, text = tokens.make(
            owner,
            name="directory",
            scopes=scopes or ("directory:write",),
            at=timezone.now(),
            websites=websites,
        )
        self.headers = {"Authorization": f"Bearer {text}"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return Client().generic(
            method,
            f"/scim/v2/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/scim+json",
            headers=self.headers | headers,
        )

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self.ask("PATCH", path, body, **headers)


@pytest.fixture
def owner() -> User:
    user: User = UserFactory(role=Role.ADMIN)
    return user


@pytest.fixture
def directory(owner: User) -> Directory:
    return Directory(owner)


def test_a_user_is_created_with_a_desk_and_without_a_password(
    directory: Directory, owner: User
) -> None:
    answer = directory.ask("POST", "Users", ADA)
    assert answer.status_code == 201, answer.content
    assert answer["Content-Type"].startswith("application/scim+json")
    shown = answer.json()
    user = User.objects.get(username="ada@example.com")
    assert answer["Location"] == f"http://testserver/scim/v2/Users/{user.pk}"
    assert (shown["id"], shown["externalId"], shown["active"]) == (str(user.pk), "00u1", True)
    assert shown["meta"]["version"] == answer["ETag"]
    assert (user.email, user.first_name, user.role) == ("ada@example.com", "Ada", Role.AGENT)
    assert not user.has_usable_password()
    assert Agent.objects.get(user=user).channels.exists()
    assert Change.objects.filter(model="accounts.user", actor_id=owner.pk).exists()

    again = directory.ask("POST", "Users", ADA | {"userName": "ADA@example.com"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")


def test_a_user_is_found_by_a_filter(directory: Directory) -> None:
    directory.ask("POST", "Users", ADA)
    for wanted in (
        'userName eq "Ada@example.com"',
        'externalId eq "00u1"',
        'emails[type eq "work"].value eq "ada@example.com" and active eq true',
    ):
        listed = directory.ask("GET", f"Users?filter={wanted}").json()
        assert listed["totalResults"] == 1, wanted
        assert listed["Resources"][0]["userName"] == "ada@example.com"
    assert directory.ask("GET", 'Users?filter=userName eq "eve"').json()["totalResults"] == 0
    refused = directory.ask("GET", 'Users?filter=password sw "a"')
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")


def test_lists_have_pages(directory: Directory) -> None:
    for _ in range(3):
        UserFactory()
    UserFactory(is_superuser=True)
    page = directory.ask("GET", "Users?startIndex=2&count=2").json()
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (4, 2, 2)
    assert directory.ask("GET", "Users?count=0").json()["Resources"] == []
    assert directory.ask("GET", "Users?startIndex=x&count=-5").json()["Resources"] == []


@pytest.mark.usefixtures("durable_wires")
def test_conversations_of_a_deactivated_user_return_to_the_group(
    directory: Directory, django_capture_on_commit_callbacks: Any
) -> None:
    step: RuleStep = StepFactory()
    agent = AgentFactory()
    step.group.members.add(agent)
    conversation = on_desk(step, agent)
    browser = Client()
    browser.force_login(agent.user)
    with django_capture_on_commit_callbacks(execute=True):
        answer = directory.patch(
            f"Users/{agent.user_id}", {"op": "Replace", "path": "active", "value": "False"}
        )
    assert answer.status_code == 200
    assert answer.json()["active"] is False
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)
    assert browser.get("/account/").status_code == 302
    back = directory.patch(f"Users/{agent.user_id}", {"op": "replace", "value": {"active": True}})
    assert back.json()["active"] is True


def test_a_user_is_changed_and_deleted_is_deactivated(directory: Directory) -> None:
    pk = directory.ask("POST", "Users", ADA).json()["id"]
    changed = directory.patch(
        f"Users/{pk}",
        {"op": "replace", "path": "name.familyName", "value": "Lovelace"},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "new@example.com"},
        {"op": "replace", "path": "roles", "value": [{"value": "manager"}]},
        {"op": "replace", "path": "phoneNumbers", "value": []},
    ).json()
    assert changed["name"] == {"givenName": "Ada", "familyName": "Lovelace"}
    assert changed["emails"][0]["value"] == "new@example.com"
    assert User.objects.get(pk=pk).role == Role.MANAGER
    whole = directory.ask("PUT", f"Users/{pk}", ADA)
    assert whole.json()["name"]["familyName"] == "Lemoine"
    assert directory.ask("DELETE", f"Users/{pk}").status_code == 204
    assert User.objects.get(pk=pk).is_active is False


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "active", "value": "maybe"},
        {"op": "replace", "path": "userName", "value": 7},
        {"op": "replace", "path": "userName", "value": "x" * 151},
        {"op": "replace", "path": "emails", "value": [{"value": "no address"}]},
        {"op": "replace", "path": "roles", "value": [{"value": "root"}]},
    ],
)
def test_invalid_values_change_nothing(operation: dict[str, Any], directory: Directory) -> None:
    pk = directory.ask("POST", "Users", ADA).json()["id"]
    before = directory.ask("GET", f"Users/{pk}").json()
    assert directory.patch(f"Users/{pk}", operation).status_code == 400
    assert directory.ask("GET", f"Users/{pk}").json() == before


def test_a_change_of_something_that_has_changed_is_refused(directory: Directory) -> None:
    first = directory.ask("POST", "Users", ADA)
    path, version = f"Users/{first.json()['id']}", first["ETag"]
    assert directory.ask("GET", path, **{"If-None-Match": version}).status_code == 304
    rename = {"op": "replace", "path": "name.givenName", "value": "Adele"}
    assert directory.patch(path, rename, **{"If-Match": version}).status_code == 200
    assert directory.patch(path, rename, **{"If-Match": version}).status_code == 412


def test_members_of_a_group_are_set(directory: Directory) -> None:
    group = GroupFactory(name="Support")
    ada = directory.ask("POST", "Users", ADA).json()["id"]
    path = f"Groups/{group.pk}"
    add = {"op": "Add", "path": "members", "value": [{"value": ada}]}
    shown = directory.patch(path, add).json()
    assert [one["value"] for one in shown["members"]] == [ada]
    assert directory.ask("GET", f"Users/{ada}").json()["groups"][0]["display"] == "Support"
    by_member = directory.ask("GET", f'Groups?filter=members.value eq "{ada}"').json()
    assert by_member["totalResults"] == 1
    removed = directory.patch(path, {"op": "remove", "path": f'members[value eq "{ada}"]'})
    assert removed.json()["members"] == []
    odd = {"op": "add", "path": "members", "value": [{"value": "999999"}]}
    assert directory.patch(path, odd).status_code == 400
    directory.patch(path, add)
    assert directory.ask("DELETE", path).status_code == 204
    assert directory.ask("GET", path).json()["members"] == []


def test_a_group_is_created_on_the_website_of_the_token(owner: User) -> None:
    first, second = WebsiteFactory(), WebsiteFactory()
    body = {"displayName": "New team"}
    assert Directory(owner).ask("POST", "Groups", body).status_code == 400
    limited = Directory(owner, websites=(second,))
    created = limited.ask("POST", "Groups", body)
    assert created.status_code == 201
    assert second.groups.get().name == "New team"
    assert limited.ask("POST", "Groups", body).status_code == 409
    other = GroupFactory(website=first)
    assert limited.ask("GET", f"Groups/{other.pk}").status_code == 404


def test_only_tokens_of_administrators_with_the_permission_enter(owner: User) -> None:
    nobody = Client()
    nobody.force_login(owner)
    assert nobody.get("/scim/v2/Users").status_code == 401
    for wrong in (
        Directory(owner, "conversations:write"),
        Directory(UserFactory(role=Role.MANAGER)),
    ):
        assert wrong.ask("GET", "Users").status_code == 403
    reader = Directory(owner, "directory:read")
    assert reader.ask("GET", "Users").status_code == 200
    assert reader.ask("POST", "Users", ADA).status_code == 403
    assert reader.ask("DELETE", "Users").status_code == 405


def test_superusers_and_the_tokens_own_account_are_out_of_reach(
    directory: Directory, owner: User
) -> None:
    root = UserFactory(is_superuser=True)
    off = {"op": "replace", "value": {"active": False}}
    assert directory.patch(f"Users/{root.pk}", off).status_code == 404
    assert directory.patch(f"Users/{owner.pk}", off).status_code == 403


@pytest.mark.parametrize("body", ["", "[]", "{", '{"userName": null}', '{"userName": ""}'])
def test_malformed_bodies_are_refused(body: str, directory: Directory) -> None:
    answer = Client().post(
        "/scim/v2/Users", body, content_type="application/json", headers=directory.headers
    )
    assert answer.status_code == 400
    assert answer.json()["status"] == "400"


def test_the_server_describes_itself(directory: Directory) -> None:
    described = directory.ask("GET", "ServiceProviderConfig").json()
    assert described["patch"]["supported"] is True
    names = [one["name"] for one in directory.ask("GET", "ResourceTypes").json()["Resources"]]
    assert names == ["User", "Group"]
    user = directory.ask("GET", f"Schemas/{USER}").json()
    assert "userName" in [one["name"] for one in user["attributes"]]
    assert directory.ask("GET", "Schemas/none").status_code == 404
