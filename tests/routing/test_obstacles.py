"""The obstacles of an agent, by a table; SQL finds the same ones in random data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.entitlement import Standing
from accounts.models import Agent, AgentChannel, Channel, Group, Role, User
from conversations.agents import ownership
from conversations.lifecycle import actors, verbs
from conversations.lifecycle import invariants as conversation_invariants
from conversations.lifecycle.transitions import Verb
from conversations.models import Contact, Conversation
from routing import invariants, load, work_queue
from routing.decisions import AgentView, BlockReason, Need, Obstacle, choose_agent, obstacles
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    RuleFactory,
    SkillFactory,
    StepFactory,
    connect,
    on_desk,
    queued,
)

HOUR = timedelta(hours=1)
FRENCH, BILLING = 1, 2
GROUP, OTHER = 10, 20
ABLE = AgentView(
    agent_id=7, slots=4, active=1, group_ids=frozenset({GROUP}), skill_ids=frozenset({FRENCH})
)
ASKED = Need(group_id=GROUP, skill_ids=frozenset({FRENCH}))
SITE = 3
GONE = Standing(is_active=False, administers=True, website_ids=frozenset({SITE}))
OF_SITE = Standing(website_ids=frozenset({SITE}))
ADMIN = Standing(administers=True)
ELSEWHERE = Obstacle(BlockReason.OTHER_WEBSITE)
MINE = Need(group_id=OTHER, agent_id=7, skill_ids=frozenset({BILLING}), is_open=False, opens_at=NOW)


@pytest.mark.parametrize(
    ("agent", "need", "expected"),
    [
        (ABLE, ASKED, []),
        (replace(ABLE, active=3), ASKED, []),
        (replace(ABLE, active=4), ASKED, [Obstacle(BlockReason.FULL, held=4, slots=4)]),
        (replace(ABLE, active=5), ASKED, [Obstacle(BlockReason.FULL, held=5, slots=4)]),
        (replace(ABLE, is_reachable=False), ASKED, [Obstacle(BlockReason.OFFLINE)]),
        (replace(ABLE, is_available=False), ASKED, [Obstacle(BlockReason.UNAVAILABLE)]),
        # An agent without slots has no availability button: their unavailability means nothing.
        (
            replace(ABLE, slots=0, active=0, is_available=False),
            ASKED,
            [Obstacle(BlockReason.NO_SLOTS)],
        ),
        (ABLE, replace(ASKED, group_id=OTHER), [Obstacle(BlockReason.NOT_A_MEMBER)]),
        (
            ABLE,
            replace(ASKED, skill_ids=frozenset({FRENCH, BILLING})),
            [Obstacle(BlockReason.LACKS_SKILL, skill_ids=frozenset({BILLING}))],
        ),
        (
            ABLE,
            replace(ASKED, is_open=False, opens_at=NOW),
            [Obstacle(BlockReason.GROUP_CLOSED, until=NOW)],
        ),
        (ABLE, replace(ASKED, agent_id=8), [Obstacle(BlockReason.OF_SOMEBODY_ELSE)]),
        # An agent who is not entitled is stopped by that alone: nothing else would help.
        (replace(ABLE, standing=GONE), ASKED, [Obstacle(BlockReason.DEACTIVATED)]),
        (replace(ABLE, standing=GONE), MINE, [Obstacle(BlockReason.DEACTIVATED)]),
        (
            replace(ABLE, standing=GONE, is_reachable=False, is_available=False),
            ASKED,
            [Obstacle(BlockReason.DEACTIVATED)],
        ),
        (ABLE, replace(MINE, website_id=SITE), [Obstacle(BlockReason.OTHER_WEBSITE)]),
        (replace(ABLE, standing=OF_SITE), replace(MINE, website_id=SITE), []),
        (replace(ABLE, standing=ADMIN), replace(MINE, website_id=SITE), []),
        (replace(ABLE, standing=OF_SITE), replace(MINE, website_id=SITE + 1), [ELSEWHERE]),
        # Assigned to the agent: a person chose them, whatever their groups, skills and hours.
        (ABLE, MINE, []),
        (replace(ABLE, is_reachable=False), MINE, [Obstacle(BlockReason.OFFLINE)]),
        (
            replace(ABLE, is_reachable=False, is_available=False, active=4),
            replace(ASKED, group_id=OTHER),
            [
                Obstacle(BlockReason.NOT_A_MEMBER),
                Obstacle(BlockReason.OFFLINE),
                Obstacle(BlockReason.UNAVAILABLE),
                Obstacle(BlockReason.FULL, held=4, slots=4),
            ],
        ),
    ],
)
def test_every_obstacle_of_an_agent_is_named(
    agent: AgentView, need: Need, expected: list[Obstacle]
) -> None:
    assert list(obstacles(agent, need)) == expected
    assert choose_agent([agent], need) == (None if expected else agent.agent_id)


# --- The same in SQL -------------------------------------------------------------------------


@dataclass(frozen=True)
class Somebody:
    groups: frozenset[int]
    skills: frozenset[int]
    slots: int
    held: int
    is_available: bool
    is_there: bool
    account: str = "agent"


@dataclass(frozen=True)
class Something:
    group: int
    skills: frozenset[int]
    is_relaxed: bool
    assignee: int | None


# (as written, when it changes): open; closed; about to close an hour ago; about to open; ...
HOURS = st.sampled_from(
    [(True, None), (True, HOUR), (False, -HOUR), (True, -HOUR), (False, None), (False, HOUR)]
)
# Mostly able, mostly undemanding: a world in which everything stops everybody tests little.
NONE, ONE, BOTH = frozenset[int](), frozenset({0}), frozenset({0, 1})
SOMEBODY = st.builds(
    Somebody,
    groups=st.sampled_from([BOTH, BOTH, BOTH, ONE, NONE]),
    skills=st.sampled_from([NONE, ONE, BOTH]),
    slots=st.sampled_from([2, 2, 2, 1, 0]),
    held=st.sampled_from([0, 0, 0, 1, 2]),
    is_available=st.sampled_from([True, True, True, False]),
    is_there=st.sampled_from([True, True, True, False]),
    account=st.sampled_from(["agent", "agent", "agent", "admin", "gone", "moved"]),
)
SOMETHING = st.builds(
    Something,
    group=st.integers(0, 1),
    skills=st.sampled_from([ONE, BOTH, NONE]),
    is_relaxed=st.sampled_from([False, False, True]),
    assignee=st.sampled_from([None, None, None, 0, 1]),
)


@pytest.mark.django_db
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    hours=st.lists(HOURS, min_size=2, max_size=2),
    people=st.lists(SOMEBODY, min_size=2, max_size=3),
    things=st.lists(SOMETHING, min_size=2, max_size=4),
)
def test_sql_and_python_find_the_same_obstacles(
    hours: list[tuple[bool, timedelta | None]],
    people: list[Somebody],
    things: list[Something],
) -> None:
    with transaction.atomic():
        rule = RuleFactory()
        steps = [StepFactory(rule=rule) for _ in hours]
        skills = [SkillFactory(website=rule.website) for _ in range(2)]
        agents = [populate(person, rule, steps, skills) for person in people]
        for step, (is_open, change) in zip(steps, hours, strict=True):
            Group.objects.filter(pk=step.group_id).update(
                is_open=is_open, hours_change_at=change and NOW + change
            )
        waiting = [put(one, steps, skills, agents) for one in things]
        for person, agent in zip(people, agents, strict=True):
            become(person, agent)
        groups = {group.pk: group for group in Group.objects.all()}
        views = load.views(Agent.objects.all(), Channel.CHAT, at=NOW)
        assert {view.agent_id for view in views} == set(Agent.objects.values_list("pk", flat=True))

        for step in steps:
            group = groups[step.group_id]
            there = {
                view
                for view in views
                if group.is_open_at(NOW)
                and group.pk in view.group_ids
                and view.standing.is_active
                and view.is_reachable
                and view.is_available
                and view.slots
            }
            assert set(load.takers(group.pk, Channel.CHAT, at=NOW)) == there

        able: dict[int, set[int]] = {conversation.pk: set() for conversation in waiting}
        for conversation in waiting:
            need = load.need_of(conversation, groups[conversation.group_id or 0], at=NOW)
            for view in views:
                if not obstacles(view, need):
                    able[conversation.pk].add(view.agent_id)

        barred = {
            (one.pk, one.agent_id)
            for one in waiting
            if one.agent_id is not None and ownership.bar_of(one, one.agent_id)
        }
        assert {
            (pk, agent.pk) for agent in agents for pk in ownership.barred_of(agent.pk)
        } >= barred  # besides what lies on desks
        entitled = {one.conversation_id for one in conversation_invariants.entitlement(at=NOW)}
        assert {pk for pk, _agent in barred} <= entitled

        for agent in agents:
            assert set(ownership.barred_of(agent.pk)) <= entitled
            taker = load.taker(agent.pk, Channel.CHAT, at=NOW)
            offered = all_offers(agent)
            assert work_queue.is_any(agent.pk, Channel.CHAT, at=NOW) == bool(offered)
            given_to_him = offered if taker and taker.free else set()
            assert given_to_him == {pk for pk, whom in able.items() if agent.pk in whom}
        lost = {
            finding.conversation_id
            for finding in invariants.lost_capacity(at=NOW, patience=timedelta(0))
        }
        assert lost == {pk for pk, whom in able.items() if whom}
        transaction.set_rollback(True)


def become(person: Somebody, agent: Agent) -> None:
    """Change an account after it was given conversations, without publishing it."""
    match person.account:
        case "admin":
            User.objects.filter(pk=agent.user_id).update(role=Role.ADMIN)
        case "gone":
            User.objects.filter(pk=agent.user_id).update(is_active=False)
        case "moved":
            agent.groups.clear()


def all_offers(agent: Agent) -> set[int]:
    return {one.pk for one in work_queue.next_for(agent.pk, Channel.CHAT, at=NOW, most=1000)}


def populate(person: Somebody, rule: object, steps: list, skills: list) -> Agent:  # type: ignore[type-arg]
    agent = AgentFactory(slots=person.slots, available=person.is_available)
    agent.skills.set([skills[n] for n in person.skills])
    for n in person.groups:
        steps[n].group.members.add(agent)
    if person.is_there:
        connect(agent)
    elsewhere = StepFactory(group=GroupFactory(website=steps[0].rule.website), rule=steps[0].rule)
    for _ in range(person.held):
        on_desk(elsewhere, agent)
    assert Contact.objects.filter(agent=agent, ended_at=None).count() == person.held
    assert AgentChannel.objects.get(agent=agent).slots == person.slots
    return agent


def put(thing: Something, steps: list, skills: list, agents: list[Agent]) -> Conversation:  # type: ignore[type-arg]
    conversation = queued(steps[thing.group], required_skills=[skills[n].pk for n in thing.skills])
    if thing.is_relaxed:
        conversation = verbs._move(
            conversation.pk, Verb.DROP_SKILLS, actor=actors.SYSTEM, at=NOW, are_skills_relaxed=True
        )
    if thing.assignee is not None:
        agent = agents[thing.assignee]
        steps[0].group.members.add(agent) if not agent.groups.exists() else None
        conversation = verbs.transfer_to_agent(
            conversation.pk, agent=agent, actor=actors.SYSTEM, at=NOW
        )
    return conversation
