"""Administration: each right of C39 both ways, by the pages and by forged requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Agent, Change, Group, Holiday, OpeningHours, Role, Skill, User
from conversations.facts import Fact
from conversations.models import Conversation
from core.events import bus
from routing import facts
from routing.models import Bot, RuleStep, TargetingRule
from tests.factories import (
    AgentFactory,
    GroupFactory,
    StepFactory,
    UserFactory,
    WebsiteFactory,
    queued,
)
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=3)


@pytest.fixture
def group(step: RuleStep) -> Group:
    return step.group


def browser(user: User) -> Client:
    client = Client()
    log_in_freshly(client, user)
    return client


@pytest.fixture
def admin() -> Client:
    return browser(UserFactory(role=Role.ADMIN))


@pytest.fixture
def boss(group: Group) -> User:
    user = UserFactory(role=Role.MANAGER)
    group.managers.add(user)
    return user


@pytest.fixture
def manager(boss: User) -> Client:
    return browser(boss)


@pytest.fixture
def published_facts(monkeypatch: pytest.MonkeyPatch) -> list[Fact]:
    """Collect what is published, in order."""
    published: list[Fact] = []
    publish = bus.publish

    def listen(*facts: Fact) -> None:
        published.extend(facts)
        publish(*facts)

    monkeypatch.setattr(bus, "publish", listen)
    return published


def formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    form: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": initial,
    }
    for number, row in enumerate(rows):
        form |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return form


def group_form(group: Group, **changes: Any) -> dict[str, Any]:
    return {
        "website": group.website_id,
        "name": group.name,
        "members": [agent.pk for agent in group.members.all()],
        "managers": [user.pk for user in group.managers.all()],
        "time_zone": "",
        "keeps_places_when_closed": "on",
        "answer_seconds_0": "",
        "answer_seconds_1": "60",
        "release_minutes_0": "",
        "release_minutes_1": "60",
        **formset("holidays"),
    } | changes


def agent_form(agent: Agent, **changes: Any) -> dict[str, Any]:
    channel = agent.channels.get()
    row = {"id": channel.pk, "agent": agent.pk, "channel": "chat", "slots": channel.slots}
    return {
        "user": agent.user_id,
        "display_name": agent.display_name,
        "groups": [group.pk for group in agent.groups.all()],
        "skills": [skill.pk for skill in agent.skills.all()],
        **formset("channels", row, initial=1),
    } | changes


def page(obj: Any) -> str:
    return f"/admin/{obj._meta.app_label}/{obj._meta.model_name}/{obj.pk}/change/"


def test_agents_and_experts_cannot_open_the_administration(step: RuleStep) -> None:
    for role in (Role.AGENT, Role.EXPERT):
        client = browser(UserFactory(role=role, is_staff=True))
        for path in ("/admin/", page(step.rule), page(step.group), "/admin/setup/"):
            assert client.get(path).status_code == 302, path
            assert client.post(path, {}).status_code == 302, path


def test_a_demoted_manager_loses_access_at_once(boss: User, manager: Client) -> None:
    assert manager.get("/admin/").status_code == 200
    User.objects.filter(pk=boss.pk).update(role=Role.AGENT)
    assert manager.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "accounts/user/",
        "accounts/user/add/",
        "accounts/website/",
        "accounts/skill/",
        "accounts/change/",
        "accounts/group/add/",
        "accounts/agent/add/",
        "routing/distributionrule/",
        "routing/targetingrule/",
        "routing/bot/",
        "conversations/conversation/",
        "conversations/message/",
        "conversations/event/",
    ],
)
def test_administrator_pages_are_refused_to_managers(
    admin: Client, manager: Client, path: str
) -> None:
    reads = "conversations/" not in path and "change" not in path
    assert admin.get(f"/admin/{path}").status_code == 200
    assert manager.get(f"/admin/{path}").status_code == 403
    if reads:
        assert manager.post(f"/admin/{path}", {"name": "forged"}).status_code == 403


@pytest.mark.parametrize("path", ["setup/", "setup/1/group/", "setup/1/team/", "setup/user/1/"])
def test_setup_is_not_found_for_managers(manager: Client, path: str) -> None:
    assert manager.get(f"/admin/{path}").status_code == 404
    assert manager.post(f"/admin/{path}", {"name": "forged"}).status_code == 404


def test_a_manager_changes_only_members_and_hours(
    manager: Client, group: Group, boss: User, published_facts: list[Fact]
) -> None:
    new = AgentFactory()
    GroupFactory(website=group.website).members.add(new)
    before = (group.name, group.website_id)
    day = {"date": "2026-12-25", "name": "Christmas", "opens": "", "closes": ""}
    forged = group_form(
        group,
        members=[new.pk],
        managers=[],
        name="Forged",
        website=WebsiteFactory().pk,
        answer_seconds_0="1",
        release_minutes_0="1",
        time_zone="Europe/Paris",
        **{"week-0-from": "09:00", "week-0-to": "18:00"},
        **formset("holidays", day),
    )
    del forged["keeps_places_when_closed"]
    assert manager.post(page(group), forged).status_code == 302
    group.refresh_from_db()
    assert list(group.members.all()) == [new]
    assert str(group.opening_hours.get()) == "Monday 09:00 – 18:00"
    assert Holiday.objects.get(group=group).website_id == group.website_id
    assert group.time_zone == "Europe/Paris"
    assert (group.name, group.website_id) == before
    assert (group.answer_seconds, group.release_minutes) == (None, None)
    assert group.keeps_places_when_closed
    assert list(group.managers.all()) == [boss]
    assert facts.GroupChanged(group_id=group.pk) in published_facts
    assert facts.AgentChanged(agent_id=new.pk) in published_facts
    # The hours apply from this moment on, not from the next tick.
    assert group.hours_change_at is not None


def test_overlapping_hours_are_refused_with_their_day(admin: Client, group: Group) -> None:
    typed = {"week-0-from": ["09:00", "11:00"], "week-0-to": ["12:00", "13:00"]}
    answer = admin.post(page(group), group_form(group, **typed))
    assert answer.status_code == 200
    assert "Monday: the intervals 09:00–12:00 and 11:00–13:00 overlap." in answer.content.decode()
    assert not group.opening_hours.exists()


def test_an_empty_grid_clears_hours_and_a_missing_one_does_not(
    admin: Client, group: Group, published_facts: list[Fact]
) -> None:
    OpeningHours.objects.create(group=group, weekday=0, opens="09:00", closes="18:00")
    assert admin.post(page(group), group_form(group)).status_code == 302
    assert group.opening_hours.count() == 1
    empty = {"week-0-from": "", "week-0-to": ""}
    assert admin.post(page(group), group_form(group, **empty)).status_code == 302
    assert not group.opening_hours.exists()
    assert facts.GroupChanged(group_id=group.pk) in published_facts


def test_a_new_group_has_its_hours_at_once(admin: Client, group: Group) -> None:
    hours = {"week-5-from": "22:00", "week-5-to": "06:00"}
    form = group_form(group, name="Night shift", members=[], managers=[], **hours)
    assert admin.post("/admin/accounts/group/add/", form).status_code == 302
    new = Group.objects.get(name="Night shift")
    assert str(new.opening_hours.get()) == "Saturday 22:00 – 06:00"
    assert new.hours_change_at is not None


def test_a_manager_cannot_add_a_member_they_do_not_see(manager: Client, group: Group) -> None:
    stranger = AgentFactory()
    GroupFactory().members.add(stranger)
    answer = manager.post(page(group), group_form(group, members=[stranger.pk]))
    assert answer.status_code == 200
    assert not group.members.exists()
    assert stranger.display_name not in answer.content.decode()


def test_a_manager_cannot_see_or_change_other_groups(manager: Client, group: Group) -> None:
    beside = GroupFactory(website=group.website, name="Next door")
    foreign = GroupFactory(name="Abroad")
    listed = manager.get("/admin/accounts/group/").content.decode()
    assert group.name in listed
    for other in (beside, foreign):
        assert other.name not in listed
        manager.post(page(other), group_form(other, time_zone="Europe/Berlin"))
        other.refresh_from_db()
        assert other.time_zone == ""
        assert manager.post(
            f"/admin/accounts/group/{other.pk}/delete/", {"post": "yes"}
        ).status_code in {302, 403}
        assert Group.objects.filter(pk=other.pk).exists()


def test_a_manager_cannot_delete_their_own_group(manager: Client, group: Group) -> None:
    address = f"/admin/accounts/group/{group.pk}/delete/"
    assert manager.post(address, {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    manager.post("/admin/accounts/group/", action)
    assert Group.objects.filter(pk=group.pk).exists()


def test_a_manager_sets_slots_of_their_members_only(
    manager: Client, group: Group, published_facts: list[Fact]
) -> None:
    mine, beside = AgentFactory(), AgentFactory()
    group.members.add(mine)
    GroupFactory(website=group.website).members.add(beside)
    for agent in (mine, beside):
        row = {"id": agent.channels.get().pk, "agent": agent.pk, "channel": "chat", "slots": 9}
        form = agent_form(agent, **formset("channels", row, initial=1))
        assert manager.post(page(agent), form).status_code == 302
    assert (mine.channels.get().slots, beside.channels.get().slots) == (9, 3)
    assert facts.CapacityAdded(agent_id=mine.pk) in published_facts
    assert facts.CapacityAdded(agent_id=beside.pk) not in published_facts


def test_a_manager_cannot_change_the_user_of_an_agent(manager: Client, group: Group) -> None:
    mine, other = AgentFactory(), UserFactory()
    group.members.add(mine)
    assert manager.post(page(mine), agent_form(mine, user=other.pk)).status_code == 302
    mine.refresh_from_db()
    assert mine.user_id != other.pk


def test_a_manager_leaves_unseen_groups_and_skills_unchanged(manager: Client, group: Group) -> None:
    mine, elsewhere = AgentFactory(), GroupFactory()
    french = Skill.objects.create(website=group.website, name="French")
    abroad = Skill.objects.create(website=elsewhere.website, name="Abroad")
    mine.groups.add(group, elsewhere)
    mine.skills.add(abroad)
    shown = manager.get(page(mine)).content.decode()
    assert "Abroad" not in shown
    assert elsewhere.name not in shown
    form = agent_form(mine, groups=[group.pk], skills=[french.pk])
    assert manager.post(page(mine), form).status_code == 302
    assert set(mine.groups.all()) == {group, elsewhere}
    assert set(mine.skills.all()) == {french, abroad}
    forged = agent_form(mine, groups=[group.pk, GroupFactory().pk], skills=[french.pk])
    assert manager.post(page(mine), forged).status_code == 200


def test_a_manager_edits_holidays_of_their_groups_only(manager: Client, group: Group) -> None:
    website = group.website
    whole = Holiday.objects.create(website=website, date="2026-12-25", name="Christmas")
    foreign = Holiday.objects.create(website=WebsiteFactory(), date="2026-12-24", name="Abroad")
    listed = manager.get("/admin/accounts/holiday/").content.decode()
    assert "Christmas" in listed
    assert "Abroad" not in listed
    form = {"website": website.pk, "group": "", "date": "2026-12-31", "name": "Forged"}
    assert manager.post(page(whole), form).status_code == 403
    assert manager.post("/admin/accounts/holiday/add/", form).status_code == 200
    assert not Holiday.objects.filter(name="Forged").exists()
    manager.post(page(foreign), form | {"group": group.pk})
    foreign.refresh_from_db()
    assert foreign.name == "Abroad"
    mine = form | {"group": group.pk, "name": "Mine"}
    assert manager.post("/admin/accounts/holiday/add/", mine).status_code == 302
    assert Holiday.objects.get(name="Mine").group == group


def test_a_group_cannot_change_its_website(admin: Client, group: Group) -> None:
    elsewhere = WebsiteFactory()
    assert admin.post(page(group), group_form(group, website=elsewhere.pk)).status_code == 302
    group.refresh_from_db()
    assert group.website_id != elsewhere.pk


def test_an_administrator_sets_reserved_fields(admin: Client, group: Group) -> None:
    form = group_form(group, answer_seconds_0="1", release_minutes_0="5", name="Renamed")
    assert admin.post(page(group), form).status_code == 302
    group.refresh_from_db()
    assert (group.answer_seconds, group.release_minutes, group.name) == (60, 5, "Renamed")
    change = Change.objects.filter(model="accounts.group").first()
    assert change is not None
    assert change.actor != ""
    assert change.before == {
        "answer_seconds": None,
        "release_minutes": None,
        "name": change.before["name"],
    }


def test_a_new_agent_gets_groups_and_each_change_is_published(
    admin: Client, group: Group, published_facts: list[Fact]
) -> None:
    user = UserFactory()
    row = {"channel": "chat", "slots": 4}
    form = {
        "user": user.pk,
        "display_name": "Alice",
        "groups": [group.pk],
        "skills": [],
        **formset("channels", row),
    }
    assert admin.post("/admin/accounts/agent/add/", form).status_code == 302
    agent = Agent.objects.get(user=user)
    assert list(agent.groups.all()) == [group]
    assert facts.GroupChanged(group_id=group.pk) in published_facts
    assert facts.CapacityAdded(agent_id=agent.pk) in published_facts


def test_a_rule_has_an_edit_link_and_translated_sections(admin: Client, step: RuleStep) -> None:
    listed = admin.get("/admin/routing/distributionrule/").content.decode()
    assert f'aria-label="Edit {step.rule}"' in listed
    shown = admin.get(page(step.rule), headers={"Accept-Language": "fr"}).content.decode()
    assert "Définissez la distribution pour chaque groupe" in shown
    assert "laces en file de conversation" in shown


def test_a_deleted_skill_is_no_longer_required(
    admin: Client, step: RuleStep, published_facts: list[Fact]
) -> None:
    group = step.group
    skill = Skill.objects.create(website=group.website, name="French")
    waiting = queued(step)
    Conversation.objects.filter(pk=waiting.pk).update(required_skills=[skill.pk])
    address = f"/admin/accounts/skill/{skill.pk}/delete/"
    assert admin.post(address, {"post": "yes"}).status_code == 302
    assert facts.WebsiteChanged(website_id=group.website_id) in published_facts
    assert Conversation.objects.get(pk=waiting.pk).required_skills == []


def test_every_list_and_form_opens(admin: Client, step: RuleStep) -> None:
    website, group = step.rule.website, step.group
    group.members.add(AgentFactory())
    rows = [
        website,
        group,
        step.rule,
        group.members.get(),
        UserFactory(),
        Skill.objects.create(website=website, name="French"),
        Bot.objects.create(website=website, name="Robin"),
        Holiday.objects.create(website=website, group=group, date="2026-12-25", name="Christmas"),
        TargetingRule.objects.create(website=website, name="Everywhere", rule=step.rule),
    ]
    OpeningHours.objects.create(group=group, weekday=0, opens="09:00", closes="18:00")
    for row in rows:
        listed = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
        for path in (listed, f"{listed}?q=x", f"{listed}add/", page(row)):
            assert admin.get(path).status_code == 200, path


def test_targeting_rules_apply_in_list_order(
    admin: Client, step: RuleStep, published_facts: list[Fact]
) -> None:
    website = step.rule.website
    first = step.rule.targeting_rules.get()
    second = TargetingRule.objects.create(
        website=website, name="Second", rule=step.rule, position=first.position + 1
    )
    listed = admin.get("/admin/routing/targetingrule/").content.decode()
    assert f'aria-label="Position: {first}"' in listed
    assert "accounts/order.js" in listed
    rows = [
        {"id": first.pk, "position": 2, "is_enabled": "on"},
        {"id": second.pk, "position": 1},
    ]
    form = formset("form", *rows, initial=2) | {"_save": "Save"}
    assert admin.post("/admin/routing/targetingrule/", form).status_code == 302
    assert list(TargetingRule.objects.values_list("pk", flat=True)) == [second.pk, first.pk]
    second.refresh_from_db()
    assert not second.is_enabled
    assert facts.RuleChanged(website_id=website.pk) in published_facts


def test_a_targeting_rule_form_saves_texts_and_lists(admin: Client, step: RuleStep) -> None:
    rule = step.rule.targeting_rules.get()
    form = {
        "website": rule.website_id,
        "name": "Cart",
        "is_enabled": "on",
        "position": 1,
        "rule": rule.rule_id,
        "pages_included": "/cart/*\n\n /lamps/* \n/cart/*",
        "pages_excluded": "",
        "languages": "fr, en-GB",
        "devices": ["phone"],
        "audience": "new",
        "seconds_on_page": 5,
        "pages_viewed": 2,
        "hours": "open",
        "text_en": "Any question?",
        "text_fr": " ",
        **formset("conditions", {"name": "cart.total", "operator": "at_least", "value": "80"}),
    }
    assert admin.post(page(rule), form).status_code == 302
    rule.refresh_from_db()
    assert rule.pages_included == ["/cart/*", "/lamps/*"]
    assert (rule.languages, rule.devices) == (["fr", "en-GB"], ["phone"])
    assert rule.texts == {"en": "Any question?"}
    assert str(rule.conditions.get()) == "cart.total is at least 80"
    foreign = Skill.objects.create(website=WebsiteFactory(), name="Abroad")
    answer = admin.post(page(rule), form | {"skills": [foreign.pk]})
    assert answer.status_code == 200
    assert (
        "This skill belongs to another website. Choose a skill of this website."
        in answer.content.decode()
    )
    wrong = admin.post(page(rule), form | {"pages_included": "/not a page"})
    assert "is not a valid pattern" in wrong.content.decode()
