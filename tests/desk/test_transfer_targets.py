"""The outcome of a transfer, shown for each colleague and team (R199)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Agent, AgentChannel
from desk import transfer_targets
from desk.transfer_targets import Team
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, connect, on_desk, queued

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def colleague(step: RuleStep, name: str, *, is_connected: bool = True) -> Agent:
    agent = AgentFactory(display_name=name)
    step.group.members.add(agent)
    if is_connected:
        connect(agent)
    return agent


def outcomes(step: RuleStep, agent: Agent) -> dict[str, str]:
    recipients = transfer_targets.colleagues_of(on_desk(step, agent), agent.user, at=NOW)
    return {one.name: outcome for one, outcome in recipients}


def test_outcome_of_a_transfer_is_shown_for_each_colleague(step: RuleStep, agent: Agent) -> None:
    colleague(step, "Free")
    colleague(step, "Gone", is_connected=False)
    away, full = colleague(step, "Away"), colleague(step, "Full")
    AgentChannel.objects.filter(agent=away).update(is_available=False)
    AgentChannel.objects.filter(agent=full).update(slots=1)
    on_desk(step, full)
    outcome_of = outcomes(step, agent)
    group = step.group.name
    assert outcome_of["Free"] == "It goes to the desk of Free immediately."
    later = f"Then it goes to the queue of {group}."
    assert outcome_of["Gone"] == (
        f"Gone is not connected. The conversation waits for them for up to 24 h. {later}"
    )
    assert (
        outcome_of["Away"]
        == f"Away is unavailable. The conversation waits for them for up to 24 h. {later}"
    )
    assert (
        outcome_of["Full"]
        == f"Full has no free slot. The conversation waits for one for up to 24 h. {later}"
    )


def team(step: RuleStep, agent: Agent, other: RuleStep) -> Team:
    teams = transfer_targets.teams_of(on_desk(step, agent), agent, at=NOW)
    return next(one for one in teams if one.group_id == other.group_id)


def test_free_agents_of_a_team_are_counted(step: RuleStep, agent: Agent) -> None:
    other = StepFactory(rule=step.rule)
    assert team(step, agent, other).outcome == (
        "No one is free. It waits at the front of the queue."
    )
    for name in ("One", "Two"):
        colleague(other, name)
    shown = team(step, agent, other)
    assert (shown.free, shown.outcome) == (2, "It goes to a free agent of the team immediately.")


def test_outcome_counts_conversations_waiting_before(step: RuleStep, agent: Agent) -> None:
    other = StepFactory(rule=step.rule)
    queued(other)
    queued(other)
    assert team(step, agent, other).outcome == (
        "It waits in the queue, after 2 other conversations."
    )


def test_closed_team_shows_when_it_opens(step: RuleStep, agent: Agent) -> None:
    other = StepFactory(rule=step.rule)
    colleague(other, "One")
    other.group.is_open = False
    other.group.hours_change_at = NOW + timedelta(days=1)
    other.group.save()
    shown = team(step, agent, other)
    assert (shown.free, shown.is_open) == (0, False)
    assert shown.outcome.startswith("The team is closed until ")


def test_transfer_to_own_team_excludes_the_agent_and_warns(step: RuleStep, agent: Agent) -> None:
    connect(agent)
    shown = team(step, agent, step)
    assert (shown.free, shown.is_present) == (0, True)
    assert shown.outcome.endswith("You are a member of this team, so it may come back to you.")
