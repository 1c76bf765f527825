"""Administration: who may change what, and that a change is published with it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Agent, Group, IdentitySecret, Role, User, Website
from conversations.facts import Fact
from core.events import bus
from routing import facts
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, BotFactory, GroupFactory, StepFactory, UserFactory, queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=3)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin() -> Client:
    return browser(UserFactory(role=Role.ADMIN, is_staff=True))


@pytest.fixture
def manager(step: RuleStep) -> Client:
    user = UserFactory(role=Role.MANAGER, is_staff=True)
    step.group.managers.add(user)
    return browser(user)


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


def rule_form(step: RuleStep, **changes: Any) -> dict[str, Any]:
    rule = step.rule
    return {
        "website": rule.website_id,
        "name": rule.name,
        "is_enabled": "on",
        "mode": rule.mode,
        "style": rule.style,
        "solved_window_0": "",
        "solved_window_1": "86400",
        "steps-TOTAL_FORMS": "1",
        "steps-INITIAL_FORMS": "1",
        "steps-0-id": step.pk,
        "steps-0-rule": rule.pk,
        "steps-0-position": step.position,
        "steps-0-group": step.group_id,
        "steps-0-places": step.places,
    } | changes


def address(step: RuleStep) -> str:
    return f"/admin/routing/distributionrule/{step.rule_id}/change/"


def test_an_administrator_can_change_the_places(
    admin: Client, step: RuleStep, published_facts: list[Fact]
) -> None:
    assert "Places in the conversation queue" in admin.get(address(step)).content.decode()
    answer = admin.post(address(step), rule_form(step, **{"steps-0-places": 7}))
    assert answer.status_code == 302
    step.refresh_from_db()
    assert step.places == 7
    assert facts.RuleChanged(website_id=step.rule.website_id) in published_facts


def test_a_rule_cannot_use_a_group_of_another_website(admin: Client, step: RuleStep) -> None:
    foreign = GroupFactory()
    answer = admin.post(address(step), rule_form(step, **{"steps-0-group": foreign.pk}))
    assert answer.status_code == 200
    assert "” belongs to another website." in answer.content.decode()


@pytest.mark.parametrize("places", ["-1", "", "many"])
def test_invalid_places_are_not_saved(admin: Client, step: RuleStep, places: str) -> None:
    answer = admin.post(address(step), rule_form(step, **{"steps-0-places": places}))
    assert answer.status_code == 200
    step.refresh_from_db()
    assert step.places == 3


@pytest.mark.parametrize(
    ("number", "unit", "stored", "error"),
    [
        ("28", "86400", timedelta(days=28), None),
        ("90", "60", timedelta(minutes=90), None),
        ("29", "86400", None, "The limit is 28\u00a0d."),
        ("0", "3600", None, "Enter a whole number of 1 or more."),
        ("soon", "3600", None, "Enter a whole number of 1 or more."),
        ("9" * 30, "86400", None, "Enter a whole number of 1 or more."),
        ("2000000000", "86400", None, "The limit is 28\u00a0d."),
        ("3", "7", None, "is not one of the available choices"),
        ("", "60", None, None),
    ],
)
def test_a_return_window_is_a_number_and_a_unit(
    admin: Client,
    step: RuleStep,
    number: str,
    unit: str,
    stored: timedelta | None,
    error: str | None,
) -> None:
    form = rule_form(step, solved_window_0=number, solved_window_1=unit)
    answer = admin.post(address(step), form)
    assert answer.status_code == (302 if error is None else 200)
    if error is not None:
        assert error in answer.content.decode()
        assert f'value="{number}"' in answer.content.decode()  # what was typed stays
    step.rule.refresh_from_db()
    assert step.rule.solved_window == stored


def test_a_stored_duration_is_shown_in_its_largest_unit(admin: Client, step: RuleStep) -> None:
    step.rule.solved_window, step.rule.skill_relax_seconds = timedelta(hours=36), 600
    step.rule.save()
    html = admin.get(address(step)).content.decode()
    for name, number, unit in (("solved_window", 36, 3600), ("skill_relax_seconds", 10, 60)):
        assert re.search(rf'name="{name}_0" value="{number}"', html)
        chosen = html.partition(f'name="{name}_1"')[2].partition("selected")[0]
        assert chosen.endswith(f'value="{unit}" ')


def test_an_unused_website_is_deleted_with_its_settings(admin: Client, step: RuleStep) -> None:
    website = step.rule.website
    step.rule.bot = BotFactory(website=website)
    step.rule.save()
    IdentitySecret.objects.create(website=website, created_at=NOW)
    delete = f"/admin/accounts/website/{website.pk}/delete/"
    assert "This cannot be undone" in admin.get(delete).content.decode()
    assert admin.post(delete, {"post": "yes"}).status_code == 302
    assert not Website.objects.filter(pk=website.pk).exists()
    assert not Group.objects.filter(pk=step.group_id).exists()


def test_a_website_with_conversations_cannot_be_deleted(admin: Client, step: RuleStep) -> None:
    queued(step)
    delete = f"/admin/accounts/website/{step.rule.website_id}/delete/"
    html = admin.get(delete).content.decode()
    assert "Conversations: 1" in html
    assert "disable its targeting rules" in html
    assert admin.post(delete, {"post": "yes"}).status_code == 200
    assert Website.objects.filter(pk=step.rule.website_id).exists()


def test_a_group_used_by_a_rule_cannot_be_deleted(admin: Client, step: RuleStep) -> None:
    delete = f"/admin/accounts/group/{step.group_id}/delete/"
    assert "cannot be deleted because these depend on it" in admin.get(delete).content.decode()
    assert admin.post(delete, {"post": "yes"}).status_code == 200
    assert Group.objects.filter(pk=step.group_id).exists()


def test_managers_cannot_change_rules_users_or_websites(manager: Client, step: RuleStep) -> None:
    assert manager.post(address(step), rule_form(step)).status_code == 403
    for path in ("accounts/user/", "accounts/website/", "conversations/conversation/"):
        assert manager.get(f"/admin/{path}").status_code == 403


def test_a_manager_sets_slots_of_their_agents_only(
    manager: Client, step: RuleStep, published_facts: list[Fact]
) -> None:
    mine, foreign = AgentFactory(), AgentFactory()
    step.group.members.add(mine)
    channel = mine.channels.get()
    form = {
        "display_name": mine.display_name,
        "channels-TOTAL_FORMS": "1",
        "channels-INITIAL_FORMS": "1",
        "channels-0-id": channel.pk,
        "channels-0-agent": mine.pk,
        "channels-0-channel": "chat",
        "channels-0-slots": "9",
    }
    assert manager.post(f"/admin/accounts/agent/{mine.pk}/change/", form).status_code == 302
    channel.refresh_from_db()
    assert channel.slots == 9
    assert facts.CapacityAdded(agent_id=mine.pk) in published_facts
    other = f"/admin/accounts/agent/{foreign.pk}/change/"
    # to the index: for this manager it does not exist
    assert manager.post(other, form).status_code == 302
    assert foreign.channels.get().slots == 3


def test_agents_cannot_open_the_administration(step: RuleStep) -> None:
    agent: Agent = AgentFactory()
    assert browser(agent.user).get(address(step)).status_code == 302  # to the admin's login


def test_conversations_are_read_only(admin: Client, step: RuleStep) -> None:
    conversation = queued(step)
    address = f"/admin/conversations/conversation/{conversation.pk}/change/"
    shown = admin.get(address).content.decode()
    assert shown.count("queued") >= 1
    assert 'name="_save"' not in shown
    assert admin.post(address, {"status": "closed"}).status_code == 403
    assert admin.get("/admin/conversations/conversation/add/").status_code == 403
