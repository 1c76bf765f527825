"""While Valkey is away: every page is drawn, and a conversation can be started and read."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Role, Website
from conversations.models import Conversation, Message, Visitor
from messenger.website_texts import sha256_of, texts_of
from routing.models import RuleStep, TargetingRule
from tests.config.test_incoming import paths
from tests.factories import AgentFactory, StepFactory, UserFactory, VisitorFactory, on_desk
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db


@pytest.fixture
def step() -> RuleStep:
    step = StepFactory(rule__website__key="celeste", rule__website__domains=["testserver"])
    TargetingRule.objects.create(website=step.rule.website, name="all", rule=step.rule)
    return step


@pytest.fixture
def visitor(step: RuleStep) -> Visitor:
    return VisitorFactory(website=step.rule.website, token="a token", agrees=True)


@pytest.fixture
def away(settings: Any, tmp_path: Any) -> None:
    """Nobody listens at the address of the cache."""
    dead = {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody"}
    settings.CACHES = {"default": dead}
    with pytest.raises(Exception, match="nobody"):
        cache.get("anything")


@pytest.mark.usefixtures("away")
def test_every_page_is_drawn(step: RuleStep, visitor: Visitor) -> None:
    agent = AgentFactory(user=UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True))
    step.group.members.add(agent)
    conversation = on_desk(step, agent, visitor=visitor)
    client = Client(headers={"Origin": "http://testserver"}, raise_request_exception=False)
    log_in_freshly(client, agent.user)
    cookies = client.cookies.copy()
    failed = {}
    for path in {path for path in paths(conversation, "zzz") if "zzz" not in path}:
        client.cookies = cookies.copy()
        status = client.get(path).status_code
        if status >= 500:
            failed[path] = status
    assert failed == {}


@pytest.mark.usefixtures("away")
def test_a_conversation_can_be_started_and_read(step: RuleStep, visitor: Visitor) -> None:
    website = step.rule.website
    headers = {"Authorization": "Bearer a token", "Origin": "http://testserver"}
    client = Client(headers=headers)
    first = {"body": "Good morning", "client_id": str(uuid.uuid4())}
    base = f"/messenger/{website.key}"
    answer = client.post(f"{base}/conversations/", first, "application/json")
    assert answer.status_code == 201, answer.content
    assert Message.objects.get().body == "Good morning"
    assert Conversation.objects.get().status == "queued"
    state = client.get(f"{base}/state/").json()
    assert state["conversation"]["status"] == "waiting"
    assert client.post(f"{base}/ticket/", {}, "application/json").json()["ticket"]


@pytest.mark.usefixtures("away")
def test_a_new_visitor_can_agree(step: RuleStep) -> None:
    website: Website = step.rule.website
    text = texts_of(website, "en")["consent"]
    client = Client(headers={"Origin": "http://testserver"})
    answer = client.post(
        f"/messenger/{website.key}/visitors/",
        {"language": "en", "text": sha256_of(text), "version": website.consent_version},
        "application/json",
    )
    assert answer.status_code < 500, answer.content
