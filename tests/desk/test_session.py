"""Availability, and the proper logout."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Agent, AgentChannel, User
from routing import presence
from tests.factories import UserFactory, connect

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def is_available(agent: Agent) -> bool:
    return AgentChannel.objects.get(agent=agent).is_available


def test_an_agent_chooses_for_a_channel(browser: Browser, agent: Agent) -> None:
    client = browser(agent.user)
    off = client.post("/desk/availability/", {"channel": "chat", "available": "false"})
    assert off.status_code == 200
    assert "unavailable" in off.content.decode()
    assert not is_available(agent)
    client.post("/desk/availability/", {"channel": "chat", "available": "true"})
    assert is_available(agent)


def test_a_channel_without_slots_cannot_be_chosen(browser: Browser, agent: Agent) -> None:
    form = {"channel": "call", "available": "true"}
    assert browser(agent.user).post("/desk/availability/", form).status_code == 409


@pytest.mark.parametrize("form", [{}, {"channel": "chat"}, {"channel": "fax", "available": "true"}])
def test_nonsense_is_refused(browser: Browser, agent: Agent, form: dict[str, str]) -> None:
    assert browser(agent.user).post("/desk/availability/", form).status_code == 400


def test_a_user_without_a_desk_cannot_be_available(browser: Browser) -> None:
    form = {"channel": "chat", "available": "true"}
    assert browser(UserFactory()).post("/desk/availability/", form).status_code == 400


def test_a_logout_leaves_the_desk_at_once(browser: Browser, agent: Agent) -> None:
    connect(agent, at=timezone.now())
    client = browser(agent.user)
    answer = client.post("/logout/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not is_available(agent)
    assert not presence.is_connected(agent.pk, timezone.now())
    assert client.get("/desk/boxes/").status_code == 204  # which sends the page to the login


def test_a_logout_needs_a_post(browser: Browser, agent: Agent) -> None:
    assert browser(agent.user).get("/logout/").status_code == 405
    assert is_available(agent)
