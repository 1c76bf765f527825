"""Availability, and the regular logout."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Agent, AgentChannel, User
from conversations.lifecycle.transitions import Status
from conversations.models import Style
from routing import presence
from routing.models import RuleStep
from tests.factories import UserFactory, connect, in_status, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def is_available(agent: Agent) -> bool:
    return AgentChannel.objects.get(agent=agent).is_available


def test_agent_can_change_availability_of_a_channel(browser: Browser, agent: Agent) -> None:
    client = browser(agent.user)
    off = client.post("/desk/availability/", {"channel": "chat", "available": "false"})
    assert off.status_code == 200
    assert "unavailable" in off.content.decode()
    assert not is_available(agent)
    client.post("/desk/availability/", {"channel": "chat", "available": "true"})
    assert is_available(agent)


def test_channel_without_slots_cannot_be_available(browser: Browser, agent: Agent) -> None:
    form = {"channel": "call", "available": "true"}
    assert browser(agent.user).post("/desk/availability/", form).status_code == 409


@pytest.mark.parametrize("form", [{}, {"channel": "chat"}, {"channel": "fax", "available": "true"}])
def test_invalid_availability_is_refused(
    browser: Browser, agent: Agent, form: dict[str, str]
) -> None:
    assert browser(agent.user).post("/desk/availability/", form).status_code == 400


def test_a_user_without_a_desk_cannot_be_available(browser: Browser) -> None:
    form = {"channel": "chat", "available": "true"}
    assert browser(UserFactory()).post("/desk/availability/", form).status_code == 400


def test_logout_disconnects_the_desk(browser: Browser, agent: Agent) -> None:
    connect(agent, at=timezone.now())
    client = browser(agent.user)
    answer = client.post("/logout/")
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/login/")
    assert not is_available(agent)
    assert not presence.is_connected(agent.pk, timezone.now())
    assert client.get("/desk/boxes/").status_code == 204  # which makes the page load the login


def test_get_of_the_logout_changes_nothing(browser: Browser, agent: Agent) -> None:
    client = browser(agent.user)
    assert "Nothing is left on your desk" in client.get("/logout/").content.decode()
    by_hand = client.get("/logout/", headers={"HX-Request": ""})
    assert (by_hand.status_code, by_hand["Location"]) == (302, "/desk/#leaving")
    assert is_available(agent)


@pytest.mark.parametrize("is_script", [True, False])
def test_logout_is_refused_with_active_conversations(
    browser: Browser, step: RuleStep, agent: Agent, is_script: bool
) -> None:
    connect(agent, at=timezone.now())
    live = on_desk(step, agent, is_asynchronous=False)
    social = on_desk(step, agent, style=Style.SOCIAL, solved_window=timedelta(days=1))
    in_status(Status.ASSIGNED, step, agent)
    client = browser(agent.user)
    answer = client.post("/logout/", headers={"HX-Request": "true" if is_script else ""})
    if is_script:
        assert answer.status_code == 409
    else:
        assert (answer.status_code, answer["Location"]) == (302, "/desk/#leaving")
    shown = client.get("/logout/").content.decode()
    assert "You are now unavailable" in shown
    for verb in ("close", "transfer", "snooze"):
        assert f"/desk/c/{social.pk}/{verb}/" in shown
        assert (f"/desk/c/{live.pk}/{verb}/" in shown) == (verb != "snooze")
    assert "1 conversation stays assigned to you" in shown
    assert not is_available(agent)  # so that no new conversation arrives meanwhile
    assert presence.is_connected(agent.pk, timezone.now())
    for conversation in (live, social):
        client.post(f"/desk/c/{conversation.pk}/close/", {"confirmed": "on"})
    left = client.post("/logout/")
    assert (left.status_code, left["HX-Redirect"]) == (204, "/login/")
    assert not presence.is_connected(agent.pk, timezone.now())
