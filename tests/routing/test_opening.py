"""Groups open and close automatically, and required skills are dropped after a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.db import transaction

from accounts.models import Agent, Channel, Group, Holiday, OpeningHours, SkillKind
from conversations.lifecycle import actors, deadlines, verbs
from conversations.lifecycle.transitions import DeadlineKind, Status
from conversations.models import Conversation
from routing import changes, engagement, load, opening, presence
from routing.actions import assignment
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    SkillFactory,
    StepFactory,
    connect,
    on_desk,
    queued,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("durable_wires"),
]

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# Monday 5 March 2035, 10:00 in Paris.
OPENS_AT = datetime(2035, 3, 5, 13, 0, tzinfo=UTC)


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=3)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(slots=3)
    step.group.members.add(agent)
    connect(agent)
    return agent


def hours(step: RuleStep, *intervals: tuple[int, int, int]) -> None:
    """Set the hours (weekday, opens, closes) and publish the change, as the administration does."""
    with transaction.atomic():
        step.group.opening_hours.all().delete()
        for weekday, opens, closes in intervals:
            OpeningHours.objects.create(
                group=step.group, weekday=weekday, opens=time(opens), closes=time(closes)
            )
        changes.group_changed(step.group_id)


def status(conversation: Conversation) -> str:
    conversation.refresh_from_db()
    return conversation.status


def has_room(step: RuleStep, *, at: datetime, skills: Sequence[int] = ()) -> bool:
    steps = engagement.steps_of(step.rule)
    decision = engagement.decide(step.rule, steps, Channel.CHAT, at=at, skills=skills)
    return decision.entry is not None


def go_to(clock: time_machine.Traveller, moment: datetime) -> None:
    """Move the clock; connected desks are still heard then."""
    clock.move_to(moment)
    for connection in presence.DeskConnection.objects.all():
        presence.record_heartbeat(connection.pk, at=moment)


def test_a_closed_group_gets_conversations_when_it_opens(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    hours(step, (0, 14, 18))
    waiting = queued(step)
    assert status(waiting) == Status.QUEUED
    group = Group.objects.get(pk=step.group_id)
    assert group.opens_at(NOW) == OPENS_AT
    go_to(clock, OPENS_AT - timedelta(seconds=1))
    assert opening.open_and_close(at=OPENS_AT - timedelta(seconds=1)) == 0
    assert status(waiting) == Status.QUEUED
    go_to(clock, OPENS_AT)
    assert opening.open_and_close(at=OPENS_AT) == 1
    assert status(waiting) == Status.ACTIVE
    assert opening.open_and_close(at=OPENS_AT) == 0  # each change is made once
    group.refresh_from_db()
    assert (group.is_open, group.hours_change_at) == (True, OPENS_AT + 4 * HOUR)


def test_opening_hours_apply_before_the_periodic_task_runs(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    hours(step, (0, 14, 18))
    go_to(clock, OPENS_AT)
    waiting = queued(step, at=OPENS_AT)  # its own drain finds the group open
    assert status(waiting) == Status.ACTIVE
    opening.open_and_close(at=OPENS_AT)
    go_to(clock, OPENS_AT + 4 * HOUR)
    late = queued(step, at=OPENS_AT + 4 * HOUR)
    assert status(late) == Status.QUEUED


def test_places_of_a_closed_group_depend_on_its_setting(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    hours(step, (0, 14, 18))
    assert has_room(step, at=NOW)
    Group.objects.update(keeps_places_when_closed=False)
    assert not has_room(step, at=NOW)
    assert has_room(step, at=OPENS_AT)
    RuleStep.objects.update(places=0)
    Group.objects.update(keeps_places_when_closed=True)
    assert not has_room(step, at=NOW)  # live needs an agent in an open group
    go_to(clock, OPENS_AT)
    assert has_room(step, at=OPENS_AT)


def test_a_closed_group_keeps_its_desks_and_gets_assigned_conversations(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    with transaction.atomic():
        held = on_desk(step, agent)
    hours(step, (0, 14, 18))
    assert status(held) == Status.ACTIVE
    waiting = queued(step)
    verbs.transfer_to_agent(waiting.pk, agent=agent, actor=actors.SYSTEM, at=NOW)
    assert status(waiting) == Status.ACTIVE


def test_changed_holidays_and_hours_apply_at_once(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    website = step.rule.website
    with transaction.atomic():
        holiday = Holiday.objects.create(website=website, date=date(2035, 3, 5), name="Fermé")
        changes.website_changed(website.pk)
    waiting = queued(step)
    assert status(waiting) == Status.QUEUED
    with transaction.atomic():
        holiday.delete()
        changes.website_changed(website.pk)
    assert status(waiting) == Status.ACTIVE
    hours(step, (0, 14, 18))
    second = queued(step)
    assert status(second) == Status.QUEUED
    hours(step, (0, 9, 18))
    assert status(second) == Status.ACTIVE


def test_a_special_day_of_a_group_overrides_the_website_holiday(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    website = step.rule.website
    today = date(2035, 3, 5)
    Holiday.objects.create(website=website, date=today, name="Fermé")
    Holiday.objects.create(
        website=website, group=step.group, date=today, name="Garde", opens=time(9), closes=time(11)
    )
    with transaction.atomic():
        changes.website_changed(website.pk)
    assert Group.objects.get().opens_at(NOW) is None
    assert Group.objects.get().hours_change_at == NOW + HOUR


# --- Skills ----------------------------------------------------------------------------------


def test_all_skills_are_required_until_the_wait_relaxes_them(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    french, billing = (SkillFactory(website=step.rule.website) for _ in range(2))
    agent.skills.add(french)
    waiting = queued(
        step, required_skills=[french.pk, billing.pk], skill_patience=timedelta(seconds=90)
    )
    assert status(waiting) == Status.QUEUED
    assert (waiting.deadline_at, waiting.deadline_kind) == (
        NOW + timedelta(seconds=90),
        DeadlineKind.SKILL_RELAXATION,
    )
    go_to(clock, NOW + 2 * MINUTE)
    deadlines.enforce(waiting.pk, at=NOW + 2 * MINUTE)
    assert status(waiting) == Status.ACTIVE
    assert waiting.queued_at == NOW  # it kept its rank
    assert waiting.is_return is False


def test_adding_or_deleting_a_skill_frees_waiting_conversations(
    clock: time_machine.Traveller, step: RuleStep, agent: Agent
) -> None:
    skill = SkillFactory(website=step.rule.website)
    waiting = queued(step, required_skills=[skill.pk])
    with transaction.atomic():
        agent.skills.add(skill)
        changes.agent_changed(agent.pk)
    assert status(waiting) == Status.ACTIVE

    other = SkillFactory(website=step.rule.website)
    second = queued(step, required_skills=[other.pk])
    assert status(second) == Status.QUEUED
    with transaction.atomic():
        number = other.pk
        other.delete()
        changes.skill_changed(number)
    assert status(second) == Status.ACTIVE
    assert second.required_skills == []


def test_younger_conversations_pass_one_that_waits_for_a_skill(
    clock: time_machine.Traveller, step: RuleStep
) -> None:
    skill = SkillFactory(website=step.rule.website)
    elder = [queued(step, required_skills=[skill.pk]) for _ in range(25)]
    younger = queued(step, at=NOW + MINUTE)
    agent = AgentFactory(slots=3)
    with transaction.atomic():
        step.group.members.add(agent)
        connect(agent)
        changes.group_changed(step.group_id)
    assert status(younger) == Status.ACTIVE
    assert {status(one) for one in elder} == {Status.QUEUED}


def test_live_engagement_needs_an_agent_with_the_skills(
    clock: time_machine.Traveller, agent: Agent, step: RuleStep
) -> None:
    RuleStep.objects.update(places=0)
    skill = SkillFactory(website=step.rule.website)
    assert has_room(step, at=NOW)
    assert not has_room(step, at=NOW, skills=[skill.pk])
    agent.skills.add(skill)
    assert has_room(step, at=NOW, skills=[skill.pk])


def test_a_conversation_waiting_for_a_skill_claims_no_slot(
    clock: time_machine.Traveller, step: RuleStep
) -> None:
    agent = AgentFactory(slots=1)
    step.group.members.add(agent)
    connect(agent)
    skill = SkillFactory(website=step.rule.website)
    queued(step, required_skills=[skill.pk])
    assert load.free_slots(step.group_id, Channel.CHAT, at=NOW) == 1
    with transaction.atomic():
        queued(step)  # not drained: it claims the slot
        assert load.free_slots(step.group_id, Channel.CHAT, at=NOW) == 0


def test_a_transfer_keeps_the_language_and_drops_the_topic(
    clock: time_machine.Traveller, step: RuleStep
) -> None:
    website = step.rule.website
    language = SkillFactory(website=website, kind=SkillKind.LANGUAGE)
    topic = SkillFactory(website=website, kind=SkillKind.TOPIC)
    foreign = SkillFactory()
    other = StepFactory(rule=step.rule, group=GroupFactory(website=website)).group
    waiting = queued(step, required_skills=[language.pk, topic.pk])
    moved = assignment.transfer_to_group(waiting.pk, group=other, actor=actors.SYSTEM, at=NOW)
    assert moved.required_skills == [language.pk]
    moved = assignment.transfer_to_group(
        waiting.pk, group=step.group, actor=actors.SYSTEM, at=NOW, skills=[topic.pk, foreign.pk]
    )
    assert moved.required_skills == [topic.pk]
