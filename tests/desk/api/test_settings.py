"""Settings in the API: administrators set everything, managers what C39 gives them, at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent, AgentChannel, Change, Group, Holiday, Role, Skill, User
from conversations.models import Article, CannedReply, Conversation
from core.events import bus
from routing import facts
from routing.models import DistributionRule, RuleStep, TargetingRule
from tests.api_clients import with_token
from tests.factories import (
    AgentFactory,
    GroupFactory,
    SkillFactory,
    StepFactory,
    UserFactory,
    WebsiteFactory,
    connect,
    queued,
)

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
def key(step: RuleStep) -> str:
    return step.rule.website.key


@pytest.fixture
def admin() -> Client:
    return with_token(UserFactory(role=Role.ADMIN, username="root", first_name="Sync"))


@pytest.fixture
def boss(step: RuleStep) -> User:
    boss = UserFactory(role=Role.MANAGER)
    step.group.managers.add(boss)
    return boss


@pytest.fixture
def manager(boss: User) -> Client:
    return with_token(boss)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The facts that are published, in order."""
    seen: list[Any] = []
    publish = bus.publish
    monkeypatch.setattr(bus, "publish", lambda fact: (seen.append(fact), publish(fact)))
    return seen


# --- What all of them share


def test_a_row_is_added_changed_and_deleted(admin: Client, key: str) -> None:
    added = send(admin, "post", "skills/", {"website": key, "kind": "language", "name": "Dutch"})
    assert added.status_code == 201
    path = f"skills/{added.json()['id']}/"
    read = admin.get(f"{API}/{path}")
    assert read.json() == added.json()
    assert read["ETag"] == added["ETag"]
    changed = send(admin, "patch", path, {"name": "Flemish"}, **{"If-Match": read["ETag"]})
    assert changed.json() == read.json() | {"name": "Flemish"}
    late = send(admin, "patch", path, {"name": "Frisian"}, **{"If-Match": read["ETag"]})
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert send(admin, "delete", path, **{"If-Match": read["ETag"]}).status_code == 412
    assert send(admin, "delete", path, **{"If-Match": changed["ETag"]}).status_code == 204
    assert not Skill.objects.exists()


def test_changes_are_recorded_with_the_name_of_the_account(admin: Client, step: RuleStep) -> None:
    send(admin, "patch", f"groups/{step.group_id}/", {"name": "Night"})
    change = Change.objects.filter(model="accounts.group").latest("pk")
    assert (change.actor, change.after) == ("Sync", {"name": "Night"})


def test_a_field_that_does_not_exist_is_refused(admin: Client, step: RuleStep) -> None:
    answer = send(admin, "patch", f"rules/{step.rule_id}/", {"enabled": False})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["enabled"])


def test_the_website_of_a_row_stays(admin: Client, step: RuleStep, key: str) -> None:
    other = WebsiteFactory()
    path = f"groups/{step.group_id}/"
    refused = send(admin, "patch", path, {"website": other.key})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["website"])
    assert send(admin, "patch", path, {"website": key, "name": "Day"}).status_code == 200


def test_a_violated_constraint_is_a_sentence(admin: Client, step: RuleStep, key: str) -> None:
    same = {"website": key, "name": step.group.name}
    refused = send(admin, "post", "groups/", same)
    assert refused.status_code == 400
    assert "already has a group with this name" in refused.json()["detail"]


def test_what_is_in_use_cannot_be_deleted(admin: Client, step: RuleStep) -> None:
    refused = send(admin, "delete", f"groups/{step.group_id}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "refused")
    assert "queues" in refused.json()["detail"]
    assert Group.objects.filter(pk=step.group_id).exists()


@pytest.mark.parametrize(
    ("noun", "count"),
    [("groups", 1), ("agents", 1), ("rules", 1), ("targeting-rules", 1), ("skills", 1)],
)
def test_lists_are_filtered_by_website_and_nothing_else(
    noun: str, count: int, admin: Client, step: RuleStep, agent: Agent, key: str
) -> None:
    SkillFactory(website=step.rule.website)
    other = StepFactory()
    other.group.members.add(AgentFactory())
    SkillFactory(website=other.rule.website)
    assert len(admin.get(f"{API}/{noun}/").json()["results"]) == 2 * count
    assert len(admin.get(f"{API}/{noun}/", {"website": key}).json()["results"]) == count
    assert admin.get(f"{API}/{noun}/", {"site": key}).status_code == 400


# --- What managers may (C39)


def test_managers_set_members_and_hours_and_nothing_else(
    manager: Client, step: RuleStep, agent: Agent
) -> None:
    path = f"groups/{step.group_id}/"
    hours = [{"weekday": 0, "opens": "09:00:00", "closes": "18:00:00"}]
    changed = send(manager, "patch", path, {"hours": hours, "members": [], "time_zone": "UTC"})
    assert changed.status_code == 200
    assert changed.json()["hours"] == hours
    assert not step.group.members.exists()
    for reserved in ({"name": "Mine"}, {"answer_seconds": 5}, {"managers": []}):
        assert send(manager, "patch", path, reserved).status_code == 403
    assert send(manager, "delete", path).status_code == 403
    assert send(manager, "post", "groups/", {"website": "x", "name": "y"}).status_code == 403


def test_managers_choose_members_among_their_websites(manager: Client, step: RuleStep) -> None:
    stranger = AgentFactory()
    StepFactory().group.members.add(stranger)
    refused = send(manager, "patch", f"groups/{step.group_id}/", {"members": [stranger.pk]})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["members"])


def test_managers_set_the_slots_skills_and_groups_of_their_agents(
    manager: Client, step: RuleStep, agent: Agent
) -> None:
    far = GroupFactory(members=[agent])
    foreign = SkillFactory()
    agent.skills.add(foreign)
    skill = SkillFactory(website=step.rule.website)
    path = f"agents/{agent.pk}/"
    body = {
        "channels": [{"channel": "chat", "slots": 7}, {"channel": "call", "slots": 1}],
        "skills": [skill.pk],
        "groups": [step.group_id],
    }
    changed = send(manager, "patch", path, body)
    assert changed.status_code == 200
    assert changed.json()["channels"] == [
        {"channel": "call", "slots": 1},
        {"channel": "chat", "slots": 7},
    ]
    assert changed.json()["skills"] == [skill.pk]
    assert set(agent.skills.all()) == {skill, foreign}
    assert set(agent.groups.all()) == {step.group, far}
    for wrong in ({"groups": [far.pk]}, {"skills": [foreign.pk]}):
        assert send(manager, "patch", path, wrong).status_code == 400
    assert send(manager, "delete", path).status_code == 403
    left = send(manager, "patch", path, {"groups": []})
    assert left.status_code == 200
    assert list(agent.groups.all()) == [far]
    assert send(manager, "patch", path, {}).status_code == 404


def test_the_filter_by_website_does_not_tell_managers_of_foreign_groups(
    manager: Client, agent: Agent
) -> None:
    far = GroupFactory(members=[agent])
    answer = manager.get(f"{API}/agents/", {"website": far.website.key})
    assert answer.json()["results"] == []


@pytest.mark.parametrize("noun", ["rules", "targeting-rules"])
def test_only_administrators_and_auditors_see_rules(
    noun: str, manager: Client, step: RuleStep
) -> None:
    auditor = with_token(UserFactory(role=Role.AUDITOR))
    number = step.rule_id if noun == "rules" else TargetingRule.objects.get().pk
    assert manager.get(f"{API}/{noun}/").json()["results"] == []
    assert send(manager, "patch", f"{noun}/{number}/", {"name": "x"}).status_code == 404
    assert auditor.get(f"{API}/{noun}/{number}/").status_code == 200
    assert send(auditor, "patch", f"{noun}/{number}/", {"name": "x"}).status_code == 403
    assert not DistributionRule.objects.filter(name="x").exists()


def test_agents_read_themselves_and_their_groups_only(step: RuleStep, agent: Agent) -> None:
    other = AgentFactory()
    step.group.members.add(other)
    client = with_token(agent.user)
    assert [row["id"] for row in client.get(f"{API}/agents/").json()["results"]] == [agent.pk]
    assert [row["id"] for row in client.get(f"{API}/groups/").json()["results"]] == [step.group_id]
    for path in (f"agents/{agent.pk}/", f"groups/{step.group_id}/"):
        assert send(client, "patch", path, {}).status_code == 403
    assert send(client, "patch", f"agents/{other.pk}/", {}).status_code == 404


def test_holidays_of_a_website_are_the_administrators(
    admin: Client, manager: Client, step: RuleStep, key: str
) -> None:
    day = {"website": key, "date": "2035-12-25", "name": "Christmas"}
    assert send(manager, "post", "holidays/", day).status_code == 400
    own = send(manager, "post", "holidays/", day | {"group": step.group_id})
    assert own.status_code == 201
    whole = send(admin, "post", "holidays/", day)
    assert whole.status_code == 201
    assert len(manager.get(f"{API}/holidays/").json()["results"]) == 2
    path = f"holidays/{whole.json()['id']}/"
    assert send(manager, "patch", path, {"name": "x"}).status_code == 403
    assert send(manager, "delete", path).status_code == 403
    assert send(manager, "delete", f"holidays/{own.json()['id']}/").status_code == 204
    foreign = GroupFactory()
    wrong = send(admin, "post", "holidays/", day | {"group": foreign.pk})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["group"])
    half = send(admin, "post", "holidays/", day | {"date": "2035-12-26", "opens": "09:00"})
    assert half.status_code == 400
    assert Holiday.objects.count() == 1


# --- Rules


def test_a_rule_keeps_the_queues_that_stay(admin: Client, step: RuleStep, key: str) -> None:
    talk = queued(step)
    other = GroupFactory(website=step.rule.website)
    path = f"rules/{step.rule_id}/"
    steps = [{"group": other.pk, "places": 2}, {"group": step.group_id, "places": 9}]
    changed = send(admin, "patch", path, {"steps": steps, "mode": "equal_share"})
    assert changed.status_code == 200
    assert changed.json()["steps"] == steps
    step.refresh_from_db()
    assert (step.places, step.position) == (9, 1)
    assert Conversation.objects.get(pk=talk.pk).queue_id == step.pk


@pytest.mark.parametrize("fault", ["twice", "foreign", "none", "unknown"])
def test_the_queues_of_a_rule_are_checked(fault: str, admin: Client, step: RuleStep) -> None:
    mine = {"group": step.group_id, "places": 1}
    foreign = {"group": GroupFactory().pk, "places": 1}
    steps = {
        "twice": [mine, mine],
        "foreign": [mine, foreign],
        "none": [],
        "unknown": [{"group": 10**9, "places": 1}],
    }[fault]
    refused = send(admin, "patch", f"rules/{step.rule_id}/", {"steps": steps, "name": "New"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["steps"])
    assert list(step.rule.steps.all()) == [step]
    assert not DistributionRule.objects.filter(name="New").exists()


def test_the_window_of_a_style_is_checked(admin: Client, step: RuleStep) -> None:
    path = f"rules/{step.rule_id}/"
    refused = send(admin, "patch", path, {"style": "live_with_return"})
    assert list(refused.json()["fields"]) == ["solved_window"]
    body = {"style": "live_with_return", "solved_window": "2 00:00:00"}
    assert send(admin, "patch", path, body).json()["solved_window"] == "2 00:00:00"


def test_a_targeting_rule_is_set_with_its_conditions(
    admin: Client, step: RuleStep, key: str
) -> None:
    skill = SkillFactory(website=step.rule.website)
    body = {
        "website": key,
        "name": "Carts",
        "rule": step.rule_id,
        "pages_included": ["/cart/*"],
        "devices": ["phone"],
        "texts": {"fr": "Une question ?"},
        "skills": [skill.pk],
        "conditions": [{"name": "cart.total", "operator": "at_least", "value": "80"}],
    }
    added = send(admin, "post", "targeting-rules/", body)
    assert added.status_code == 201
    assert {name: added.json()[name] for name in body} == body
    path = f"targeting-rules/{added.json()['id']}/"
    changed = send(admin, "patch", path, {"conditions": [], "texts": {}})
    assert (changed.json()["conditions"], changed.json()["texts"]) == ([], {})
    assert changed.json()["skills"] == [skill.pk]
    for fault in (
        {"rule": StepFactory().rule_id},
        {"skills": [SkillFactory().pk]},
        {"pages_included": ["a b"]},
        {"texts": {"xx": "?"}},
        {"conditions": [{"name": "x", "operator": "at_least", "value": "many"}]},
        {"devices": ["fridge"]},
    ):
        refused = send(admin, "patch", path, fault)
        assert (refused.status_code, list(refused.json()["fields"])) == (400, list(fault))


# --- Agents


def test_only_the_agents_choose_whether_they_are_available(
    admin: Client, step: RuleStep, agent: Agent
) -> None:
    connect(agent)
    path = f"agents/{agent.pk}/availability/"
    body = {"channel": "chat", "is_available": False}
    assert send(admin, "post", path, body).status_code == 403
    client = with_token(agent.user)
    state = send(client, "post", path, body)
    assert state.status_code == 200
    assert state.json()["channels"] == [
        {"channel": "chat", "is_available": False, "held": 0, "slots": 3}
    ]
    assert admin.get(f"{API}/{path}").json() == state.json()
    assert not AgentChannel.objects.get(agent=agent).is_available
    none = send(client, "post", path, {"channel": "video", "is_available": True})
    assert (none.status_code, none.json()["code"]) == (409, "refused")


def test_an_agent_is_added_for_an_account_without_a_desk(admin: Client, step: RuleStep) -> None:
    user = UserFactory(username="ada")
    body = {
        "username": "ada",
        "display_name": "Ada",
        "groups": [step.group_id],
        "channels": [{"channel": "chat", "slots": 2}],
    }
    added = send(admin, "post", "agents/", body)
    assert added.status_code == 201
    assert {name: added.json()[name] for name in body} == body
    assert Agent.objects.get(user=user) in step.group.members.all()
    assert send(admin, "post", "agents/", body).status_code == 400  # has a desk now


def test_a_change_takes_effect_at_once(
    admin: Client, step: RuleStep, agent: Agent, published: list[Any]
) -> None:
    send(admin, "patch", f"agents/{agent.pk}/", {"channels": [{"channel": "chat", "slots": 5}]})
    assert facts.CapacityAdded(agent_id=agent.pk) in published
    send(admin, "patch", f"groups/{step.group_id}/", {"name": "New"})
    assert facts.GroupChanged(group_id=step.group_id) in published
    send(admin, "patch", f"groups/{step.group_id}/", {"members": []})
    assert published.count(facts.AccessChanged(agent_id=agent.pk)) == 2
    published.clear()
    send(admin, "patch", f"rules/{step.rule_id}/", {"name": "New"})
    send(admin, "patch", f"targeting-rules/{TargetingRule.objects.get().pk}/", {"name": "New"})
    assert published == [facts.RuleChanged(website_id=step.rule.website_id)] * 2


def test_what_nobody_can_take_is_deleted_with_its_effect(
    admin: Client, agent: Agent, step: RuleStep, published: list[Any]
) -> None:
    group = GroupFactory(website=step.rule.website, members=[agent])
    assert send(admin, "delete", f"groups/{group.pk}/").status_code == 204
    assert facts.AccessChanged(agent_id=agent.pk) in published


def test_hours_that_overlap_are_refused(admin: Client, step: RuleStep) -> None:
    hours = [
        {"weekday": 0, "opens": "09:00", "closes": "12:00"},
        {"weekday": 0, "opens": "11:00", "closes": "18:00"},
    ]
    refused = send(admin, "patch", f"groups/{step.group_id}/", {"hours": hours})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["hours"])


@pytest.mark.parametrize("opens", ["09:00Z", "09:00+02:00", "9:00", "24:00", "09:00:00.5", 9, None])
def test_hours_are_those_of_the_wall(opens: Any, admin: Client, step: RuleStep) -> None:
    hours = [{"weekday": 0, "opens": opens, "closes": "18:00"}]
    refused = send(admin, "patch", f"groups/{step.group_id}/", {"hours": hours})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["hours"])


# --- Replies and articles


def test_replies_belong_to_owners_that_the_user_may_choose(
    manager: Client, boss: User, step: RuleStep, agent: Agent, key: str
) -> None:
    body = {"owner": f"group-{step.group_id}", "name": "Hello", "body": "Hi {visitor_name}"}
    added = send(manager, "post", "replies/", body)
    assert added.status_code == 201
    assert {name: added.json()[name] for name in body} == body
    path = f"replies/{added.json()['id']}/"
    assert send(manager, "patch", path, {"folder": "Start"}).json()["folder"] == "Start"
    assert CannedReply.objects.get().words.startswith("hello start hi")
    mine = with_token(agent.user)
    assert len(mine.get(f"{API}/replies/", {"folder": "Start"}).json()["results"]) == 1
    assert send(mine, "patch", path, {"name": "x"}).status_code == 403
    assert send(mine, "delete", path).status_code == 403
    for fault in ({"body": "{nobody}"}, {"owner": f"group-{GroupFactory().pk}"}):
        refused = send(manager, "patch", path, fault)
        assert (refused.status_code, list(refused.json()["fields"])) == (400, list(fault))
    own = send(mine, "post", "replies/", {"owner": "own", "name": "Mine", "body": "x"})
    assert own.status_code == 201
    assert manager.get(f"{API}/replies/{own.json()['id']}/").status_code == 404
    assert send(manager, "delete", path).status_code == 204


def test_articles_are_written_by_supervisors_and_read_by_agents(
    manager: Client, step: RuleStep, agent: Agent, key: str
) -> None:
    body = {"website": key, "language": "en", "name": "Returns", "body": "# In *30* days"}
    added = send(manager, "post", "articles/", body)
    assert (added.status_code, added.json()["state"]) == (201, "draft")
    path = f"articles/{added.json()['id']}/"
    assert "30 days" in Article.objects.get().text
    reader = with_token(agent.user)
    assert reader.get(f"{API}/{path}").status_code == 404
    assert send(manager, "patch", path, {"state": "published"}).status_code == 200
    assert reader.get(f"{API}/{path}").json()["body"] == body["body"]
    assert send(reader, "patch", path, {"name": "x"}).status_code == 403
    assert send(reader, "post", "articles/", body).status_code == 403
    assert send(manager, "patch", path, {"language": "xx"}).status_code == 400
    assert reader.get(f"{API}/articles/", {"language": "fr"}).json()["results"] == []
    assert send(manager, "delete", path).status_code == 204


@pytest.mark.parametrize(
    ("noun", "body"),
    [
        ("articles", {"language": "en", "name": "x", "body": "x"}),
        ("skills", {"name": "x"}),
        ("holidays", {"date": "2035-01-01", "name": "x"}),
        ("groups", {"name": "x"}),
        ("targeting-rules", {"name": "x", "rule": 0}),
        ("rules", {"name": "x", "steps": [{"group": 0, "places": 1}]}),
    ],
)
def test_a_limited_token_adds_nothing_to_another_website(
    noun: str, body: dict[str, Any], step: RuleStep
) -> None:
    client = with_token(UserFactory(role=Role.ADMIN), websites=[step.rule.website])
    other = WebsiteFactory()
    refused = send(client, "post", f"{noun}/", body | {"website": other.key})
    assert refused.status_code == 400
    assert "website" in refused.json()["fields"]


def test_a_list_takes_a_constant_number_of_queries(
    admin: Client, step: RuleStep, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        one = StepFactory()
        one.group.members.add(AgentFactory())
        SkillFactory(website=one.rule.website)
    for noun in ("agents", "groups", "rules", "targeting-rules", "skills"):
        with django_assert_max_num_queries(9):
            assert len(admin.get(f"{API}/{noun}/").json()["results"]) >= 3
