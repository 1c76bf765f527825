"""Verbs of the lifecycle through the views of the desk."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Agent, Role, User
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, Style
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    StepFactory,
    UserFactory,
    connect,
    in_status,
    on_desk,
    queued,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def post(client: Client, number: int, verb: str, **data: Any) -> Any:
    return client.post(f"/desk/c/{number}/{verb}/", data)


def now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


@pytest.mark.parametrize(
    ("verb", "style", "status"),
    [
        ("close", Style.LIVE, Status.CLOSED),
        ("close", Style.SOCIAL, Status.SOLVED),
        ("pending", Style.SOCIAL, Status.PENDING),
        ("on-hold", Style.SOCIAL, Status.ON_HOLD),
    ],
)
def test_verb_moves_conversation_on_own_desk(
    browser: Browser, step: RuleStep, agent: Agent, verb: str, style: Style, status: Status
) -> None:
    conversation = on_desk(step, agent, style=style, solved_window=timedelta(days=1))
    answer = post(browser(agent.user), conversation.pk, verb, confirmed="on")
    assert answer.status_code == 204
    triggers = json.loads(answer["HX-Trigger"])
    assert triggers["desk:moved"] == {"number": conversation.pk, "status": status}
    assert triggers["desk:notice"]["sentence"].startswith(f"#{conversation.pk} ")
    # A closed conversation cannot be undone (C71).
    undo = f"/desk/c/{conversation.pk}/take-back/" if status != Status.CLOSED else None
    assert triggers["desk:notice"].get("undo") == undo
    assert now(conversation).status == status


def test_transfer_can_be_undone_from_its_notice(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    other = StepFactory(rule=step.rule).group
    client = browser(agent.user)
    answer = post(client, conversation.pk, "transfer", group=other.pk)
    undo = json.loads(answer["HX-Trigger"])["desk:notice"]["undo"]
    assert client.get(f"/desk/c/{conversation.pk}/").status_code == 404
    assert client.get(undo).status_code == 405
    assert browser(AgentFactory().user).post(undo).status_code == 404
    assert client.post(undo).status_code == 204
    assert (now(conversation).status, now(conversation).agent) == (Status.ACTIVE, agent)
    again = client.post(undo)
    assert again.status_code == 409
    assert "too late" in json.loads(again["HX-Trigger"])["desk:refused"]["message"]


@pytest.mark.parametrize(
    "verb", ["close", "pending", "on-hold", "take", "wake", "resume", "release"]
)
def test_verb_is_refused_on_a_colleagues_desk(
    browser: Browser, step: RuleStep, agent: Agent, verb: str
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    conversation = on_desk(step, agent)
    answer = post(browser(colleague.user), conversation.pk, verb)
    assert answer.status_code == 409
    assert answer["HX-Reswap"] == "none"
    assert "desk:refused" in json.loads(answer["HX-Trigger"])
    assert "On the desk of Alice" in answer.content.decode()
    assert now(conversation).status == Status.ACTIVE


@pytest.mark.parametrize("verb", ["close", "snooze", "transfer", "wake", "release"])
def test_verb_of_a_stranger_is_not_found(
    browser: Browser, step: RuleStep, agent: Agent, verb: str
) -> None:
    conversation = on_desk(step, agent)
    assert post(browser(AgentFactory().user), conversation.pk, verb).status_code == 404
    assert now(conversation).status == Status.ACTIVE


@pytest.mark.parametrize("verb", ["take-back", "take", "wake", "release"])
def test_get_of_a_verb_is_not_allowed(
    browser: Browser, step: RuleStep, agent: Agent, verb: str
) -> None:
    conversation = on_desk(step, agent)
    answer = browser(agent.user).get(f"/desk/c/{conversation.pk}/{verb}/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert now(conversation).status == Status.ACTIVE


def test_a_verb_without_csrf_token_is_refused(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    client = Client(enforce_csrf_checks=True)
    client.force_login(agent.user)
    assert post(client, conversation.pk, "close").status_code == 403
    assert now(conversation).status == Status.ACTIVE


def test_agent_can_transfer_to_a_colleague_or_a_team(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    other = StepFactory(rule=step.rule).group
    first, second = on_desk(step, agent), on_desk(step, agent)
    client = browser(agent.user)
    shown = client.get(f"/desk/c/{first.pk}/transfer/").content.decode()
    assert colleague.display_name in shown
    assert other.name in shown
    assert post(client, first.pk, "transfer", agent=colleague.pk).status_code == 204
    assert (now(first).status, now(first).agent) == (Status.ASSIGNED, colleague)
    assert post(client, second.pk, "transfer", group=other.pk).status_code == 204
    assert (now(second).status, now(second).group) == (Status.QUEUED, other)


def test_transfer_to_another_website_is_refused(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    client = browser(agent.user)
    foreign_group, stranger = GroupFactory(), AgentFactory()
    for form in ({"group": foreign_group.pk}, {"agent": stranger.pk}, {}, {"agent": agent.pk}):
        assert post(client, conversation.pk, "transfer", **form).status_code == 422
    assert now(conversation).status == Status.ACTIVE


def test_waking_own_snoozed_conversation_activates_it(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.SNOOZED, step, agent, keep=True)
    assert post(browser(agent.user), conversation.pk, "wake").status_code == 204
    assert now(conversation).status == Status.ACTIVE


def test_waking_with_a_full_desk_assigns_the_conversation(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.SNOOZED, step, agent, keep=True)
    for _ in range(3):
        on_desk(step, agent)
    client = browser(agent.user)
    assert post(client, conversation.pk, "wake").status_code == 204
    assert now(conversation).status == Status.ASSIGNED
    assert post(client, conversation.pk, "take").status_code == 204
    assert now(conversation).status == Status.ACTIVE


def test_waking_unkept_conversation_returns_it_to_the_queue(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.SNOOZED, step, agent, keep=False)
    colleague = AgentFactory()
    step.group.members.add(colleague)
    assert post(browser(colleague.user), conversation.pk, "wake").status_code == 204
    assert (now(conversation).status, now(conversation).agent) == (Status.QUEUED, None)


def test_colleague_cannot_wake_a_kept_conversation(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.SNOOZED, step, agent, keep=True)
    colleague = AgentFactory()
    step.group.members.add(colleague)
    assert post(browser(colleague.user), conversation.pk, "wake").status_code == 409
    assert now(conversation).status == Status.SNOOZED


@pytest.mark.parametrize("status", [Status.PENDING, Status.ON_HOLD, Status.SOLVED])
def test_agent_can_resume_own_paused_conversation(
    browser: Browser, step: RuleStep, agent: Agent, status: Status
) -> None:
    conversation = in_status(status, step, agent)
    assert post(browser(agent.user), conversation.pk, "resume").status_code == 204
    assert (now(conversation).status, now(conversation).agent) == (Status.ACTIVE, agent)


def test_manager_can_release_only_from_a_disconnected_agent(
    browser: Browser, step: RuleStep, agent: Agent, manager: User
) -> None:
    conversation = on_desk(step, agent)
    connection = connect(agent, at=timezone.now())
    client = browser(manager)
    refused = post(client, conversation.pk, "release")
    assert refused.status_code == 409
    assert "is connected" in json.loads(refused["HX-Trigger"])["desk:refused"]["message"]
    agent.connections.filter(pk=connection).delete()
    assert post(client, conversation.pk, "release").status_code == 204
    assert now(conversation).status == Status.QUEUED


def test_verb_is_refused_for_user_without_desk(browser: Browser, step: RuleStep) -> None:
    admin = UserFactory(role=Role.ADMIN)
    conversation = queued(step)
    for verb in ("take", "wake", "resume", "close"):
        assert post(browser(admin), conversation.pk, verb).status_code == 409


def test_refusal_in_snoozed_tab_returns_its_lists(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.SNOOZED, step, agent, keep=True)
    verbs.wake(conversation.pk, actor=actors.SYSTEM, at=NOW)
    client = browser(agent.user)
    answer = client.post(f"/desk/c/{conversation.pk}/wake/", headers={"HX-Target": "paused-lists"})
    assert answer.status_code == 409
    assert 'id="paused-lists"' in answer.content.decode()
    assert "HX-Reswap" not in answer
