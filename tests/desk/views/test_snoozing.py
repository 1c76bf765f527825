"""Snoozing: the dialog, its two checkboxes and what the desk remembers of them, and the team's
list."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import preferences
from accounts.models import Agent, User
from conversations.facts import ConversationMoved
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from desk import live
from routing.actions import by_agent
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def post(client: Client, number: int, **data: Any) -> Any:
    return client.post(f"/desk/c/{number}/snooze/", data)


def now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


@pytest.mark.parametrize(("duration", "hours"), [("3h", 3), ("24h", 24)])
def test_snooze_lasts_the_chosen_hours(
    browser: Browser, step: RuleStep, agent: Agent, duration: str, hours: int
) -> None:
    conversation = on_desk(step, agent)
    answer = post(
        browser(agent.user), conversation.pk, duration=duration, auto_close="on", warned="on"
    )
    assert answer.status_code == 204
    snoozed = now(conversation)
    assert snoozed.status == Status.SNOOZED
    assert snoozed.deadline_at == NOW + timedelta(hours=hours)
    assert (snoozed.is_kept, snoozed.is_auto_close) == (False, True)


def test_custom_end_is_in_the_agents_time_zone(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    agent.user.timezone = "America/Montreal"
    agent.user.save()
    conversation = on_desk(step, agent)
    form = {"duration": "custom", "until": "2035-03-06T09:00", "keep": "on"}
    assert post(browser(agent.user), conversation.pk, **form).status_code == 204
    snoozed = now(conversation)
    assert snoozed.deadline_at == datetime(2035, 3, 6, 9, tzinfo=ZoneInfo("America/Montreal"))
    assert (snoozed.is_kept, snoozed.is_auto_close) == (True, False)


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        ("", "Choose the date and time"),
        ("2035-03-05T09:59", "This time has passed"),  # 8:59 in UTC
        ("2037-01-01T09:00", "A snooze can last up to one year"),
        ("tomorrow", "Enter a valid date/time"),
    ],
)
def test_invalid_end_is_refused_with_the_form(
    browser: Browser, step: RuleStep, agent: Agent, until: str, sentence: str
) -> None:
    conversation = on_desk(step, agent)
    answer = post(browser(agent.user), conversation.pk, duration="custom", until=until)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert now(conversation).status == Status.ACTIVE


def test_live_conversation_cannot_be_snoozed(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent, is_asynchronous=False)
    client = browser(agent.user)
    assert "Snooze" not in client.get(f"/desk/c/{conversation.pk}/").content.decode()
    answer = post(client, conversation.pk, duration="3h")
    assert answer.status_code == 409
    assert "Only asynchronous" in json.loads(answer["HX-Trigger"])["desk:refused"]["message"]


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2035-03-25T02:30", "2035-03-25T01:30"),  # skipped in Paris: its clocks show 3:30
        ("2035-10-28T02:30", "2035-10-28T00:30"),  # occurs twice in Paris: the first one
    ],
)
def test_skipped_or_repeated_hour_is_resolved(
    browser: Browser, step: RuleStep, agent: Agent, wall: str, utc: str
) -> None:
    conversation = on_desk(step, agent)
    assert (
        post(browser(agent.user), conversation.pk, duration="custom", until=wall).status_code == 204
    )
    assert now(conversation).deadline_at == datetime.fromisoformat(f"{utc}+00:00")


def is_ticked(client: Client, number: int, box: str) -> bool:
    shown = client.get(f"/desk/c/{number}/snooze/").content.decode()
    return "checked" in shown.split(f'name="{box}"')[1].split(">")[0]


def test_auto_close_choice_is_remembered(browser: Browser, step: RuleStep, agent: Agent) -> None:
    first, second = on_desk(step, agent), on_desk(step, agent)
    assert is_ticked(browser(agent.user), first.pk, "auto_close")
    assert post(browser(agent.user), first.pk, duration="3h").status_code == 204
    another_device = browser(agent.user)
    assert not is_ticked(another_device, second.pk, "auto_close")
    post(another_device, second.pk, duration="3h", auto_close="on", warned="on")
    assert is_ticked(browser(agent.user), on_desk(step, agent).pk, "auto_close")


def test_auto_close_choice_is_saved_without_a_snooze(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    client, number = browser(agent.user), on_desk(step, agent).pk
    assert client.post("/desk/auto-close/", {"duration": "3h"}).status_code == 204
    assert not is_ticked(browser(agent.user), number, "auto_close")
    client.post("/desk/auto-close/", {"duration": "3h", "auto_close": "on"})
    assert is_ticked(browser(agent.user), number, "auto_close")


def test_auto_close_choice_is_separate_for_each_agent(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    browser(agent.user).post("/desk/auto-close/", {})
    assert is_ticked(browser(colleague.user), on_desk(step, colleague).pk, "auto_close")


def test_keep_choice_is_not_remembered(browser: Browser, step: RuleStep, agent: Agent) -> None:
    client = browser(agent.user)
    post(client, on_desk(step, agent).pk, duration="3h", keep="on")
    assert not is_ticked(client, on_desk(step, agent).pk, "keep")


def test_closure_warning_is_not_repeated_once_dismissed(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    client, conversation = browser(agent.user), on_desk(step, agent)
    form = {"duration": "24h", "keep": "on", "auto_close": "on"}
    warning = post(client, conversation.pk, **form)
    assert warning.status_code == 200
    assert "this conversation closes automatically" in warning.content.decode()
    assert 'name="silence" checked' in warning.content.decode()
    assert now(conversation).status == Status.ACTIVE
    assert post(client, conversation.pk, **form, warned="on", silence="on").status_code == 204
    snoozed = now(conversation)
    assert snoozed.deadline_at == NOW + timedelta(hours=24)
    assert (snoozed.is_kept, snoozed.is_auto_close) == (True, True)
    assert post(client, on_desk(step, agent).pk, **form).status_code == 204


def test_closure_warning_is_repeated_unless_dismissed(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    client, form = browser(agent.user), {"duration": "3h", "auto_close": "on"}
    assert post(client, on_desk(step, agent).pk, **form, warned="on").status_code == 204
    assert post(client, on_desk(step, agent).pk, **form).status_code == 200


def test_snooze_without_auto_close_gives_no_warning(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    assert post(browser(agent.user), on_desk(step, agent).pk, duration="3h").status_code == 204
    assert preferences.of(agent.pk).warns_of_closure


def test_back_from_warning_restores_the_dialog(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    form = {"duration": "custom", "until": "2035-03-06T09:00", "keep": "True", "auto_close": "True"}
    client = browser(agent.user)
    warning = post(client, conversation.pk, **form).content.decode()
    for name, value in form.items():
        assert f'name="{name}" value="{value}"' in warning
    shown = post(client, conversation.pk, **form, warned="on", back="on").content.decode()
    assert 'value="2035-03-06T09:00"' in shown
    assert 'name="keep" checked' in shown
    assert now(conversation).status == Status.ACTIVE


def moved(**differs: Any) -> ConversationMoved:
    usual = {
        "conversation_id": 1,
        "public_id": "x",
        "website_id": 1,
        "visitor_id": 1,
        "verb": "snooze",
        "status": "active",
        "status_before": "active",
        "agent_id": 5,
        "agent_before": 5,
        "group_id": 7,
        "group_before": 7,
    }
    return ConversationMoved(**(usual | differs))


@pytest.mark.parametrize(
    ("fact", "teams"),
    [
        (moved(), set()),
        (moved(status="snoozed", agent_id=None), {7}),
        (moved(status="snoozed"), set()),  # kept: the team's list does not show it
        (moved(status_before="snoozed", agent_before=None, status="queued", agent_id=None), {7}),
        (moved(status_before="snoozed", status="assigned"), set()),
        (moved(status_before="snoozed", agent_before=None, status="closed", agent_id=None), {7}),
        (moved(status_before=None, status="queued", agent_id=None, agent_before=None), set()),
    ],
)
def test_only_the_affected_teams_are_notified(fact: ConversationMoved, teams: set[int]) -> None:
    assert live._teams(fact) == teams


def test_snooze_locks_the_conversation_once(step: RuleStep, agent: Agent) -> None:
    """It goes down to the verb once: a check apart from the verb would lock the row twice."""
    held = on_desk(step, agent)
    with CaptureQueriesContext(connection) as queries:
        by_agent.snooze(
            held.pk,
            user=agent.user,
            until=NOW + timedelta(hours=1),
            keep=True,
            auto_close=False,
            seen=held.last_seq,
            at=NOW,
        )
    locks = [
        query["sql"]
        for query in queries.captured_queries
        if 'FROM "conversations_conversation"' in query["sql"] and "FOR NO KEY" in query["sql"]
    ]
    assert len(locks) == 1
