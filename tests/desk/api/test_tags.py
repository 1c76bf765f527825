"""Tags in the API: the settings of a website, and the tags of conversations."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Agent, Change, Role
from conversations.lifecycle.actors import BOT
from conversations.models import Tag
from conversations.reasons import tagging
from routing.models import RuleStep
from tests.api_clients import with_token
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    StepFactory,
    TagFactory,
    UserFactory,
    WebsiteFactory,
    on_desk,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return getattr(client, method)(
        f"{API}/{path}", body or {}, content_type="application/json", headers=headers
    )


@pytest.fixture
def manager(step: RuleStep) -> Client:
    boss = UserFactory(role=Role.MANAGER, username="boss")
    step.group.managers.add(boss)
    return with_token(boss)


def test_tag_is_added_archived_restored_and_recorded(manager: Client, step: RuleStep) -> None:
    key = step.rule.website.key
    added = send(manager, "post", "tags/", {"website": key, "name": "Refund", "colour": "red"})
    assert added.status_code == 201
    number = added.json()["id"]
    assert added.json() == {
        "id": number,
        "website": key,
        "name": "Refund",
        "category": "",
        "colour": "red",
        "description": "",
        "archived": False,
        "merged_into": None,
    }
    again = send(manager, "post", "tags/", {"website": key, "name": "REFUND"})
    assert again.status_code == 400
    assert "already has this name" in str(again.json())
    archived = send(manager, "patch", f"tags/{number}/", {"archived": True})
    assert archived.json()["archived"] is True
    for query, count in (("", 1), ("?archived=true", 1), ("?archived=false", 0)):
        assert len(manager.get(f"{API}/tags/{query}").json()["results"]) == count
    assert send(manager, "patch", f"tags/{number}/", {"archived": False}).json() == added.json()
    changes = Change.objects.filter(model="conversations.tag", actor="boss")
    assert [change.kind for change in changes.order_by("pk")] == ["INSERT", "UPDATE", "UPDATE"]


def test_used_tag_is_not_deleted_and_an_unused_one_is(manager: Client, step: RuleStep) -> None:
    used, unused = (TagFactory(website=step.rule.website) for _n in range(2))
    conversation = on_desk(step, AgentFactory())
    tagging.add(conversation.pk, [used.pk], actor=BOT, at=NOW)
    assert send(manager, "delete", f"tags/{used.pk}/").status_code == 409
    assert send(manager, "delete", f"tags/{unused.pk}/").status_code == 204
    assert list(Tag.objects.all()) == [used]


def test_merge_by_program(manager: Client, step: RuleStep) -> None:
    first, second = (TagFactory(website=step.rule.website) for _n in range(2))
    foreign = TagFactory(website=WebsiteFactory())
    conversation = on_desk(step, AgentFactory())
    tagging.add(conversation.pk, [first.pk], actor=BOT, at=NOW)
    refused = send(manager, "post", f"tags/{first.pk}/merge/", {"into": foreign.pk})
    assert refused.status_code == 400
    itself = send(manager, "post", f"tags/{first.pk}/merge/", {"into": first.pk})
    assert itself.status_code == 409
    merged = send(manager, "post", f"tags/{first.pk}/merge/", {"into": second.pk})
    assert merged.json() == {"conversations": 1}
    assert manager.get(f"{API}/tags/{first.pk}/").json()["merged_into"] == second.pk
    again = send(manager, "patch", f"tags/{first.pk}/", {"archived": False})
    assert (again.status_code, again.json()["code"]) == (409, "refused")


def test_agents_read_the_tags_of_their_websites_and_change_none(
    step: RuleStep, agent: Agent
) -> None:
    own, foreign = TagFactory(website=step.rule.website), TagFactory(website=WebsiteFactory())
    client = with_token(agent.user)
    assert [row["id"] for row in client.get(f"{API}/tags/").json()["results"]] == [own.pk]
    assert client.get(f"{API}/tags/{foreign.pk}/").status_code == 404
    assert send(client, "patch", f"tags/{own.pk}/", {"name": "x"}).status_code == 403
    assert send(client, "post", f"tags/{own.pk}/merge/", {"into": own.pk}).status_code == 403
    body = {"website": step.rule.website.key, "name": "x"}
    assert send(client, "post", "tags/", body).status_code == 403


def test_conversation_is_tagged_untagged_and_found(step: RuleStep, agent: Agent) -> None:
    conversation, other = on_desk(step, agent), on_desk(step, agent)
    first, second = (TagFactory(website=step.rule.website) for _n in range(2))
    client, path = with_token(agent.user), f"conversations/{conversation.pk}"
    added = send(client, "post", f"{path}/tags/", {"tags": [second.pk, first.pk]})
    assert added.json() == [{"id": one.pk, "name": one.name} for one in (first, second)]
    assert client.get(f"{API}/{path}/").json()["tags"] == added.json()
    listed = client.get(f"{API}/conversations/", {"tag": first.pk}).json()["results"]
    assert [row["number"] for row in listed] == [conversation.pk]
    assert send(client, "delete", f"{path}/tags/{first.pk}/").status_code == 204
    assert send(client, "delete", f"{path}/tags/{first.pk}/").status_code == 404
    assert client.get(f"{API}/{path}/tags/").json() == [{"id": second.pk, "name": second.name}]
    changes = client.get(f"{API}/{path}/tag-changes/").json()["results"]
    assert [(row["kind"], row["before"], row["after"]) for row in changes] == [
        ("tagged", "", first.name),
        ("tagged", "", second.name),
        ("untagged", first.name, ""),
    ]
    assert {row["name"] for row in changes} == {agent.display_name}
    for body, status in (({}, 400), ({"tags": []}, 400), ({"tags": [10**15]}, 409)):
        refused = send(client, "post", f"conversations/{other.pk}/tags/", body)
        assert refused.status_code == status


def test_token_needs_the_right_noun_and_reviewers_only_read(step: RuleStep, agent: Agent) -> None:
    conversation, tag = on_desk(step, agent), TagFactory(website=step.rule.website)
    path, body = f"conversations/{conversation.pk}/tags/", {"tags": [tag.pk]}
    reading = with_token(agent.user, scopes=["conversations:read", "tags:read"])
    assert send(reading, "post", path, body).json()["code"] == "scope"
    assert reading.get(f"{API}/{path}").json() == []
    reviewer = UserFactory(role=Role.REVIEWER)
    step.group.managers.add(reviewer)
    assert send(with_token(reviewer), "post", path, body).status_code == 403
    assert with_token(reviewer).get(f"{API}/{path}").json() == []
    stranger = with_token(AgentFactory().user)
    assert send(stranger, "post", path, body).status_code == 404


def test_list_of_tagged_conversations_takes_no_query_for_each(
    step: RuleStep, agent: Agent, django_assert_max_num_queries: Any
) -> None:
    tags = [TagFactory(website=step.rule.website).pk for _n in range(3)]
    for _n in range(5):
        tagging.add(on_desk(step, agent).pk, tags, actor=BOT, at=NOW)
    client = with_token(agent.user)
    with django_assert_max_num_queries(20) as few:
        client.get(f"{API}/conversations/", {"page_size": 1})
    one = len(few.captured_queries)
    with django_assert_max_num_queries(one):
        client.get(f"{API}/conversations/")


def test_step_of_another_rule_can_use_the_same_tag(step: RuleStep, agent: Agent) -> None:
    """Tags belong to the website, not to a rule or group."""
    tag, beside = TagFactory(website=step.rule.website), StepFactory(rule=step.rule)
    beside.group.members.add(agent)
    client = with_token(agent.user)
    for one in (step, beside):
        path = f"conversations/{on_desk(one, agent).pk}/tags/"
        assert send(client, "post", path, {"tags": [tag.pk]}).status_code == 200
