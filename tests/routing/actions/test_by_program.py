"""Messages from the API: as the agent who holds the conversation, as the bot, as nobody else."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Role, User
from conversations.models import Conversation, Message
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk, queued, with_bot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory(places=2)


def post(user: User, conversation: Conversation, **sent: Any) -> Any:
    client = Client()
    client.force_login(user)
    address = f"/api/v1/conversations/{conversation.pk}/messages/"
    return client.post(address, sent, content_type="application/json")


def test_the_holder_can_offer_choices_and_a_repeat_changes_nothing(step: RuleStep) -> None:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    conversation = on_desk(step, agent)
    sent = {"id": str(uuid.uuid4()), "body": "Blue or red?", "choices": ["Blue", "Red"]}
    first, again = (post(agent.user, conversation, **sent) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    message = first.json()["message"]
    assert (message["author"], message["name"]) == ("agent", "Alice")
    assert message["body"] == "Blue or red?\n\n• Blue\n• Red"
    assert message["offer"] == {"text": "Blue or red?", "choices": ["Blue", "Red"], "cards": []}
    other = post(agent.user, conversation, **sent | {"choices": ["Green"]})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "refused")


def test_an_administrator_posts_as_the_bot_while_the_bot_holds(step: RuleStep) -> None:
    admin = UserFactory(role=Role.ADMIN)
    conversation = with_bot(step)
    answer = post(admin, conversation, id=str(uuid.uuid4()), body="I am a bot")
    assert (answer.status_code, answer.json()["message"]["author"]) == (201, "bot")
    waiting = queued(step)
    answer = post(admin, waiting, id=str(uuid.uuid4()), body="I am nobody")
    assert answer.status_code == 409
    assert not Message.objects.filter(conversation=waiting).exists()


def test_other_agents_cannot_post(step: RuleStep) -> None:
    agent, colleague = AgentFactory(), AgentFactory()
    step.group.members.add(agent, colleague)
    conversation = on_desk(step, agent)
    sent = {"id": str(uuid.uuid4()), "body": "Hello"}
    assert post(colleague.user, conversation, **sent).status_code == 409
    assert post(AgentFactory().user, conversation, **sent).status_code == 404
    bad = post(agent.user, conversation, **sent | {"cards": [{"title": ""}]})
    assert bad.status_code == 400
