"""Calls over HTTP, from both sides: who may take which step, and what a browser gets for it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from accounts.models import Agent, Website
from conversations.calls.servers import Servers
from conversations.models import Call, Conversation, Visitor
from conversations.visitors import visitor_presence
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, VisitorFactory, connect, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
TAB, OTHER_TAB = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
JSON = "application/json"


@pytest.fixture
def step(db: None) -> RuleStep:
    cache.clear()
    return StepFactory(rule__website__key="celeste", rule__website__calls="video")


@pytest.fixture
def website(step: RuleStep) -> Website:
    return step.rule.website


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    connect(agent)
    return agent


@pytest.fixture
def conversation(step: RuleStep, agent: Agent, website: Website) -> Conversation:
    visitor = VisitorFactory(website=website, token="a token", agrees=True)
    return on_desk(step, agent, visitor=visitor)


def visitor_asks(
    conversation: Conversation, path: str = "", token: str = "a token", **sent: Any
) -> HttpResponse:
    client = Client(headers={"Origin": "http://testserver", "Authorization": f"Bearer {token}"})
    path = f"/messenger/celeste/conversations/{conversation.public_id}/calls/{path}"
    return client.post(path, {"tab": TAB} | sent, content_type=JSON)


def agent_asks(
    agent: Agent, conversation: Conversation, path: str = "", **sent: Any
) -> HttpResponse:
    client = Client()
    client.force_login(agent.user)
    return client.post(f"/desk/c/{conversation.pk}/calls/{path}", {"tab": OTHER_TAB} | sent)


def test_a_visitor_rings_and_the_agent_answers(
    conversation: Conversation, agent: Agent, settings: LazySettings
) -> None:
    settings.CALL_SERVERS = Servers([], ["turn:turn.example.com"], "north", 3600, False)
    rung = visitor_asks(conversation, video=True)
    assert rung.status_code == 201
    call = rung.json()["call"]
    assert (call["status"], call["video"], call["agent"]) == ("ringing", True, "Alice")
    taken = agent_asks(agent, conversation, f"{call['id']}/answer/")
    assert taken.status_code == 200
    assert taken.json()["call"]["status"] == "answered"
    users = {answer.json()["rtc"]["iceServers"][0]["username"] for answer in (rung, taken)}
    expires = int(NOW.timestamp()) + 3600
    assert users == {f"{expires}:{side}-{call['id']}" for side in ("visitor", "agent")}


def test_an_agent_rings_and_the_visitor_declines(conversation: Conversation, agent: Agent) -> None:
    assert agent_asks(agent, conversation).json()["error"]["code"] == "refused"  # not on the site
    cache.set(visitor_presence._key(conversation.visitor_id), 1, 60)
    call = agent_asks(agent, conversation).json()["call"]
    assert call["begun_by"] == "agent"
    assert visitor_asks(conversation, f"{call['id']}/end/").json()["call"]["status"] == "declined"
    late = agent_asks(agent, conversation, f"{call['id']}/end/")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "refused")


def test_an_agent_who_is_not_connected_cannot_be_called(
    conversation: Conversation, agent: Agent
) -> None:
    agent.connections.all().delete()
    answer = visitor_asks(conversation)
    assert answer.status_code == 409
    assert "away" in answer.json()["error"]["message"]


def test_where_calls_are_off_the_reason_is_told(
    conversation: Conversation, website: Website
) -> None:
    website.calls = "off"
    website.save()
    answer = visitor_asks(conversation)
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        409,
        "Calls are off for this website.",
    )


def test_a_tab_must_say_which_it_is(conversation: Conversation) -> None:
    for tab in (None, "", "1", 7, ["x"], "x" * 36):
        assert visitor_asks(conversation, tab=tab).status_code == 400
    assert not Call.objects.exists()


def test_after_a_reload_the_same_tab_goes_on(conversation: Conversation, agent: Agent) -> None:
    call = visitor_asks(conversation).json()["call"]
    agent_asks(agent, conversation, f"{call['id']}/answer/")
    assert visitor_asks(conversation, f"{call['id']}/resume/").status_code == 200
    assert visitor_asks(conversation, f"{call['id']}/resume/", tab=OTHER_TAB).status_code == 409
    assert agent_asks(agent, conversation, f"{call['id']}/resume/").status_code == 200


def test_nobody_else_takes_a_step(
    conversation: Conversation, step: RuleStep, website: Website
) -> None:
    call = visitor_asks(conversation).json()["call"]
    VisitorFactory(website=website, token="another token", agrees=True)
    colleague = AgentFactory()
    step.group.members.add(colleague)
    for name in ("answer", "resume", "end"):
        path = f"{call['id']}/{name}/"
        assert visitor_asks(conversation, path, token="another token").status_code == 404
        assert agent_asks(colleague, conversation, path).status_code == 404
    assert visitor_asks(conversation, token="another token").status_code == 404
    assert agent_asks(colleague, conversation).status_code == 409
    assert Call.objects.get().status == "ringing"


def test_a_call_is_reached_through_its_own_conversation_only(
    conversation: Conversation, step: RuleStep, agent: Agent, website: Website
) -> None:
    other_visitor = VisitorFactory(website=website, token="another token", agrees=True)
    other = on_desk(step, agent, visitor=other_visitor)
    call = visitor_asks(conversation).json()["call"]
    path = f"{call['id']}/end/"
    assert visitor_asks(other, path, token="another token").status_code == 404
    assert agent_asks(agent, other, path).status_code == 404


def test_who_has_withdrawn_consent_can_only_hang_up(
    conversation: Conversation, agent: Agent
) -> None:
    call = visitor_asks(conversation).json()["call"]
    agent_asks(agent, conversation, f"{call['id']}/answer/")
    Visitor.objects.update(withdrawn_at=NOW)
    assert visitor_asks(conversation, f"{call['id']}/resume/").status_code == 403
    assert visitor_asks(conversation, f"{call['id']}/end/").status_code == 200


def test_jitsi_needs_no_servers(conversation: Conversation, website: Website) -> None:
    website.jitsi_url = "https://meet.example.com"
    website.save()
    answer = visitor_asks(conversation).json()
    assert answer["rtc"] is None
    assert answer["call"]["room"].startswith("https://meet.example.com/causerie-")


def test_pages_of_other_origins_cannot_call(conversation: Conversation) -> None:
    client = Client(headers={"Origin": "https://evil.example", "Authorization": "Bearer a token"})
    path = f"/messenger/celeste/conversations/{conversation.public_id}/calls/"
    assert client.post(path, {"tab": TAB}, content_type=JSON).status_code == 403
    desk = Client(enforce_csrf_checks=True)
    desk.force_login(conversation.agent.user)
    assert desk.post(f"/desk/c/{conversation.pk}/calls/", {"tab": TAB}).status_code == 403
