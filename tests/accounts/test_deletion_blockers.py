"""A refused deletion of a setting lists the objects that depend on it, with links."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from accounts.deletion_blockers import held_by
from accounts.models import Agent, Group, Role
from conversations.models import Conversation
from routing.models import RuleStep
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(UserFactory(role=Role.ADMIN))
    return client


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


def dependents_of(row: Agent | Group) -> str:
    return " ".join(held_by([row], admin.site))


def test_a_group_names_the_rules_that_use_it(client: Client, step: RuleStep) -> None:
    page = client.get(f"/admin/accounts/group/{step.group_id}/delete/").content.decode()
    assert "cannot be deleted because these depend on it" in page
    rule = f"/admin/routing/distributionrule/{step.rule_id}/change/"
    assert f'Distribution rules: 1 (<a href="{rule}">{step.rule}</a>)' in page
    assert 'name="post"' not in page
    answer = client.post(f"/admin/accounts/group/{step.group_id}/delete/", {"post": "yes"})
    assert answer.status_code == 200
    assert Group.objects.filter(pk=step.group_id).exists()


def test_an_unused_group_can_be_deleted(client: Client, step: RuleStep) -> None:
    group = Group.objects.create(website=step.rule.website, name="Nobody needs it")
    assert dependents_of(group) == ""
    address = f"/admin/accounts/group/{group.pk}/delete/"
    assert "This cannot be undone" in client.get(address).content.decode()
    client.post(address, {"post": "yes"})
    assert not Group.objects.filter(pk=group.pk).exists()


def test_an_agent_names_their_conversations(step: RuleStep) -> None:
    agent = AgentFactory()
    conversation: Conversation = on_desk(step, agent)
    assert "Conversations: 1 (" in dependents_of(agent)
    assert f"/conversation/{conversation.pk}/change/" in dependents_of(agent)
    assert dependents_of(AgentFactory()) == ""
