"""The fragment that explains why a conversation waits, for users who may see it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.lifecycle.transitions import Status
from routing.models import RuleStep
from tests.factories import StepFactory, UserFactory, in_status, queued

pytestmark = pytest.mark.usefixtures("clock")
Browser = Callable[[User], Client]


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    cache.clear()


def test_explanation_names_agents_and_obstacles(
    step: RuleStep, agent: Agent, browser: Browser
) -> None:
    number = queued(step).pk
    text = browser(agent.user).get(f"/desk/c/{number}/why/").content.decode()
    assert "Alice" in text
    assert "offline" in text
    assert "1/3" in text
    assert "Alice opens the desk." in text


def test_explanation_reports_the_end_of_the_wait(
    step: RuleStep, agent: Agent, browser: Browser
) -> None:
    number = in_status(Status.ACTIVE, step, agent).pk
    answer = browser(agent.user).get(f"/desk/c/{number}/why/")
    assert answer.status_code == 200
    assert "It is no longer waiting." in answer.content.decode()


def test_explanation_is_not_found_for_strangers(
    step: RuleStep, agent: Agent, manager: User, browser: Browser
) -> None:
    foreign = queued(StepFactory()).pk
    for user in (agent.user, manager):
        assert browser(user).get(f"/desk/c/{foreign}/why/").status_code == 404
    assert Client().get(f"/desk/c/{foreign}/why/").status_code == 302


@pytest.mark.parametrize("status", list(Status))
def test_explanation_is_offered_while_the_conversation_waits(
    status: Status, step: RuleStep, agent: Agent, manager: User, browser: Browser
) -> None:
    number = in_status(status, step, agent).pk
    text = browser(manager).get(f"/desk/c/{number}/").content.decode()
    waits = status in {Status.QUEUED, Status.ASSIGNED}
    assert (f"/desk/c/{number}/why/" in text) is waits


def test_explanation_is_in_the_admin(step: RuleStep, agent: Agent, browser: Browser) -> None:
    admin = browser(UserFactory(role=Role.ADMIN, is_staff=True))
    waiting, held = queued(step).pk, in_status(Status.ACTIVE, step, agent).pk
    page = "/admin/conversations/conversation/{}/change/"
    assert "Alice opens the desk." in admin.get(page.format(waiting)).content.decode()
    assert "why it waits" not in admin.get(page.format(held)).content.decode().lower()
