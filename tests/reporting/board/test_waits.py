"""The board's section on waiting: the longest first, faults after a second check, repairs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent, AgentChannel, Role, User, Website
from accounts.supervision import EVERYTHING
from conversations.lifecycle.transitions import Status
from reporting.board import waits
from reporting.board.scope import Seen, View
from routing.models import Repair, RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, connect, in_status, queued

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory(places=9, group__name="Conseil")


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def browser(step: RuleStep) -> Client:
    manager: User = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    client = Client()
    client.force_login(manager)
    return client


def waits_of(website: Website, *, total: int, at: datetime) -> waits.Waits:
    return waits.of(Seen([website], EVERYTHING, View()), total=total, at=at)


def test_the_longest_wait_comes_first(step: RuleStep, agent: Agent) -> None:
    second = queued(step, at=NOW + MINUTE)
    first = queued(step, at=NOW)
    mine = in_status(Status.ASSIGNED, step, agent, at=NOW + 2 * MINUTE)
    queued(StepFactory(), at=NOW)
    shown = waits_of(step.rule.website, total=3, at=NOW + 3 * MINUTE)
    assert [(row.number, row.holder, row.is_assigned) for row in shown.longest] == [
        (first.pk, "Conseil", False),
        (second.pk, "Conseil", False),
        (mine.pk, "Alice", True),
    ]
    assert shown.more == 0


def test_a_long_list_is_cut_and_the_rest_is_counted(
    step: RuleStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "LIMIT", 2)
    for minute in range(3):
        queued(step, at=NOW + minute * MINUTE)
    shown = waits_of(step.rule.website, total=3, at=NOW + 3 * MINUTE)
    assert (len(shown.longest), shown.more) == (2, 1)


def test_only_repairs_of_the_last_day_are_counted(step: RuleStep, agent: Agent) -> None:
    website = step.rule.website
    assert waits_of(website, total=0, at=NOW).repairs.count == 0
    for hours, where in (
        (1, website),
        (23, website),
        (25, website),
        (1, StepFactory().rule.website),
    ):
        Repair.objects.create(
            website=where,
            conversation=queued(step),
            agent=agent,
            waited=MINUTE,
            at=NOW - timedelta(hours=hours),
        )
    counted = waits_of(website, total=0, at=NOW).repairs
    assert (counted.count, counted.last_at) == (2, NOW - timedelta(hours=1))


def board(browser: Client) -> str:
    answer = browser.get("/reports/production/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_board_raises_an_alert_after_a_second_check(
    clock: time_machine.Traveller,  # noqa: F811
    step: RuleStep,
    agent: Agent,
    browser: Client,
) -> None:
    conversation = queued(step)
    text = board(browser)
    assert "An agent is free" not in text
    assert "data-look-again" not in text
    connect(agent)
    text = board(browser)
    assert "An agent is free" not in text, "a push may be under way"
    assert "data-look-again" in text
    clock.shift(5)
    text = board(browser)
    assert "An agent is free, but a conversation is still waiting." in text
    assert f'href="#wait-{conversation.pk}"' in text
    assert "an agent is free" in text
    AgentChannel.objects.filter(agent=agent).update(is_available=False)
    assert "An agent is free" not in board(browser)
