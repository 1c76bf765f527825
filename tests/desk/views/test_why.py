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


def test_it_says_what_stops_whom(step: RuleStep, agent: Agent, browser: Browser) -> None:
    number = queued(step).pk
    text = browser(agent.user).get(f"/desk/c/{number}/why/").content.decode()
    assert "Alice" in text
    assert "offline" in text
    assert "1/3" in text
    assert "Alice opens the desk." in text


def test_what_left_the_queue_meanwhile_says_so(
    step: RuleStep, agent: Agent, browser: Browser
) -> None:
    number = in_status(Status.ACTIVE, step, agent).pk
    answer = browser(agent.user).get(f"/desk/c/{number}/why/")
    assert answer.status_code == 200
    assert "It is no longer waiting." in answer.content.decode()


def test_a_strangers_conversation_is_not_there(
    step: RuleStep, agent: Agent, manager: User, browser: Browser
) -> None:
    foreign = queued(StepFactory()).pk
    for user in (agent.user, manager):
        assert browser(user).get(f"/desk/c/{foreign}/why/").status_code == 404
    assert Client().get(f"/desk/c/{foreign}/why/").status_code == 302


@pytest.mark.parametrize("status", list(Status))
def test_the_dialogue_offers_it_where_it_waits(
    status: Status, step: RuleStep, agent: Agent, manager: User, browser: Browser
) -> None:
    number = in_status(status, step, agent).pk
    text = browser(manager).get(f"/desk/c/{number}/").content.decode()
    waits = status in {Status.QUEUED, Status.ASSIGNED}
    assert (f"/desk/c/{number}/why/" in text) is waits


def test_the_administration_says_it_too(step: RuleStep, agent: Agent, browser: Browser) -> None:
    admin = browser(UserFactory(role=Role.ADMIN, is_staff=True))
    waiting, held = queued(step).pk, in_status(Status.ACTIVE, step, agent).pk
    page = "/admin/conversations/conversation/{}/change/"
    assert "Alice opens the desk." in admin.get(page.format(waiting)).content.decode()
    assert "why it waits" not in admin.get(page.format(held)).content.decode().lower()
