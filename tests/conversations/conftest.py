"""Fixtures for the tests of conversations: one website, its queue, an agent of its group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clock import clock  # noqa: F401 - a fixture

if (
    TYPE_CHECKING
):  # models cannot be imported before Django is set up, and this file is read earlier
    from accounts.models import Agent
    from routing.models import RuleStep


@pytest.fixture
def step(db: None) -> RuleStep:
    from tests.factories import StepFactory

    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    from tests.factories import AgentFactory

    agent = AgentFactory()
    step.group.members.add(agent)
    return agent
