"""Fixtures for the tests of the desk: a queue, its agent, and browsers without a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests.clock import clock  # noqa: F401 - a fixture

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from accounts.models import Agent, User
    from routing.models import RuleStep


@pytest.fixture
def step(db: None) -> RuleStep:
    from tests.factories import StepFactory

    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    from tests.factories import AgentFactory

    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def manager(step: RuleStep) -> User:
    from accounts.models import Role
    from tests.factories import UserFactory

    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    return manager


@pytest.fixture
def browser() -> Callable[[User], Client]:
    """Return a function that logs a user in to a client whose requests look like a script's."""

    def log_in(user: User) -> Client:
        client = Client(headers={"HX-Request": "true"})
        client.force_login(user)
        return client

    return log_in
