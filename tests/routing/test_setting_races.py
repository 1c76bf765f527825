"""Races of settings, timers and bots with the push, on real connections: the second transaction
sees the first."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable
from datetime import time, timedelta
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Agent, AgentChannel, Channel, Group, OpeningHours
from conversations.lifecycle import actors, deadlines, verbs
from conversations.lifecycle.transitions import Status, Verb
from conversations.messages import rejections, sending
from conversations.models import Contact, Conversation, Event, Notice
from routing import changes, dispatch, load, opening, presence
from routing.actions import assignment, escalation
from routing.models import RuleStep
from tests.factories import (
    AgentFactory,
    RuleFactory,
    SkillFactory,
    StepFactory,
    connect,
    on_desk,
    queued,
    with_bot,
)
from tests.routing.test_races import assert_sound, refused, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("durable_wires")]

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=50)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(slots=50)
    step.group.members.add(agent)
    connect(agent, at=timezone.now())
    return agent


def sometime() -> None:
    """Sleep up to 60 ms, to run before or after the others: an entry takes some ten
    milliseconds."""
    sleep(random.uniform(0, 0.06))


def status_of(conversation: Conversation) -> str:
    return Conversation.objects.values_list("status", flat=True).get(pk=conversation.pk)


def test_an_entry_during_a_settings_change_reaches_the_new_member(step: RuleStep) -> None:
    """A conversation begins to wait while a member who could take it joins."""
    for _round in range(8):
        agent = AgentFactory(slots=5)
        connect(agent, at=timezone.now())

        def join(agent: Agent = agent) -> None:
            sometime()
            with transaction.atomic():
                step.group.members.add(agent)
                RuleStep.objects.filter(pk=step.pk).update(places=51)
                changes.group_changed(step.group_id)
                changes.rule_changed(step.rule.website_id)

        *_, waiting = together(join, dispatch.drain_all, lambda: queued(step, at=timezone.now()))
        assert status_of(waiting) == Status.ACTIVE
        AgentChannel.objects.update(is_available=False)
    assert_sound()


@pytest.mark.parametrize("event", ["it enters", "the rule changes", "a member joins"])
def test_a_drain_waits_for_an_earlier_drain_of_the_same_agent(
    event: str, step: RuleStep, agent: Agent
) -> None:
    """Skipping the agent would lose the wake-up: the other drain has looked already (ADR 0006)."""
    if event != "it enters":
        step.group.members.clear()
        waiting = queued(step, at=timezone.now())
        if event == "the rule changes":  # the new member was not published
            step.group.members.add(agent)
    looked = threading.Event()

    def drain() -> None:
        """``dispatch.serve`` that found nothing, and still holds the agent's lock."""
        with transaction.atomic():
            Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
            looked.set()
            connection.cursor().execute("SELECT pg_sleep(0.5)")

    def happen() -> int:
        assert looked.wait(10)
        if event == "it enters":
            return queued(step, at=timezone.now()).pk
        with transaction.atomic():
            if event == "a member joins":
                step.group.members.add(agent)
                changes.group_changed(step.group_id)
            else:
                changes.rule_changed(step.rule.website_id)
        return waiting.pk

    _, number = together(drain, happen)
    assert Conversation.objects.get(pk=number).status == Status.ACTIVE


def test_adding_a_skill_during_an_entry_pushes_the_conversation(
    step: RuleStep, agent: Agent
) -> None:
    for _round in range(8):
        skill = SkillFactory(website=step.rule.website)

        def learn(skill: object = skill) -> None:
            sometime()
            with transaction.atomic():
                agent.skills.add(skill)  # type: ignore[arg-type]
                changes.agent_changed(agent.pk)

        _, waiting = together(
            learn,
            lambda skill=skill: queued(step, at=timezone.now(), required_skills=[skill.pk]),
        )
        assert status_of(waiting) == Status.ACTIVE
    assert_sound()


def test_a_group_opened_by_four_workers_opens_once(step: RuleStep, agent: Agent) -> None:
    now = timezone.now()
    at = now.astimezone(step.group.zone)
    OpeningHours.objects.create(
        group=step.group, weekday=at.weekday(), opens=time(0), closes=time(0)
    )
    Group.objects.update(is_open=False, hours_change_at=now + MINUTE)
    waiting = [queued(step, at=now) for _ in range(5)]
    assert {status_of(one) for one in waiting} == {Status.QUEUED}
    Group.objects.update(hours_change_at=now - SECOND)
    opened = together(*([lambda: opening.open_and_close(at=timezone.now())] * 4))
    assert sum(opened) == 1
    assert {status_of(one) for one in waiting} == {Status.ACTIVE}
    assert_sound()


def test_the_answer_timer_waits_for_a_push_under_way(step: RuleStep, agent: Agent) -> None:
    """Otherwise a conversation would reach the desk of an agent who has just become unavailable."""
    Group.objects.update(answer_seconds=1)
    long_ago = timezone.now() - MINUTE
    with transaction.atomic():
        unanswered = on_desk(step, agent, at=long_ago)
        AgentChannel.objects.update(is_available=False)
    waiting = queued(step, at=timezone.now())
    AgentChannel.objects.update(is_available=True)
    seen = threading.Event()

    def push() -> None:
        """``dispatch.serve``, with a pause between its check and its push."""
        with transaction.atomic():
            locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
            taker = load.taker(agent.pk, Channel.CHAT, at=timezone.now())
            assert taker is not None
            seen.set()
            connection.cursor().execute("SELECT pg_sleep(0.5)")
            verbs.push(waiting.pk, agent=locked, at=timezone.now(), slots=taker.slots)

    def take_back() -> None:
        assert seen.wait(10)
        deadlines.enforce(unanswered.pk, at=timezone.now())

    together(push, take_back)
    written = Event.objects.order_by("pk").values_list("conversation_id", "verb")
    assert list(written)[-2:] == [(waiting.pk, "push"), (unanswered.pk, "requeue")]
    assert not AgentChannel.objects.get(agent=agent).is_available
    assert Notice.objects.get().conversation_id == unanswered.pk
    assert_sound()


@pytest.mark.parametrize(
    "go",
    [
        lambda agent: presence.set_available(agent.pk, Channel.CHAT, False, at=timezone.now()),
        lambda agent: presence.leave(agent.pk, at=timezone.now()),
        lambda agent: presence.log_out(agent.pk, at=timezone.now()),
    ],
    ids=["unavailable", "leaving", "logged out"],
)
def test_leaving_waits_for_a_push_under_way(
    go: Callable[[Agent], object], step: RuleStep, agent: Agent
) -> None:
    """Once agents see themselves as unavailable, nothing more comes."""
    AgentChannel.objects.update(is_available=False)
    waiting = queued(step, at=timezone.now())
    AgentChannel.objects.update(is_available=True)
    seen = threading.Event()

    def push() -> None:
        with transaction.atomic():
            locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
            taker = load.taker(agent.pk, Channel.CHAT, at=timezone.now())
            assert taker is not None
            seen.set()
            connection.cursor().execute("SELECT pg_sleep(0.5)")
            verbs.push(waiting.pk, agent=locked, at=timezone.now(), slots=taker.slots)

    def leave() -> int:
        assert seen.wait(10)
        go(agent)
        return Contact.objects.filter(ended_at=None).count()

    assert together(push, leave) == [None, 1]
    assert not AgentChannel.objects.get(agent=agent).is_available


@pytest.mark.parametrize("way", ["anew", "again"])
def test_reconnecting_during_release_stays_released(way: str, step: RuleStep) -> None:
    agent, desk = AgentFactory(slots=5), uuid.uuid4()
    step.group.members.add(agent)
    held = on_desk(step, agent, at=timezone.now() - 3 * MINUTE)
    if way == "again":
        presence.connect(agent.pk, desk, at=timezone.now() - 2 * MINUTE)
    released = threading.Event()

    def release() -> None:
        with transaction.atomic():
            assignment.release(held.pk, actor=actors.SYSTEM, at=timezone.now())
            released.set()
            connection.cursor().execute("SELECT pg_sleep(0.5)")

    def reconnect() -> bool:
        assert released.wait(10)
        if way == "again":
            presence.record_heartbeat(desk, at=timezone.now())
        else:
            presence.connect(agent.pk, desk, at=timezone.now())
        return Event.objects.filter(conversation=held, verb=Verb.RELEASE).exists()

    assert together(release, reconnect) == [None, True]
    assert_sound()


def test_release_during_reconnection_is_refused(step: RuleStep) -> None:
    agent = AgentFactory(slots=5)
    step.group.members.add(agent)
    held = on_desk(step, agent, at=timezone.now() - MINUTE)
    came = threading.Event()

    def reconnect() -> None:
        with transaction.atomic():
            presence.connect(agent.pk, uuid.uuid4(), at=timezone.now())
            came.set()
            connection.cursor().execute("SELECT pg_sleep(0.5)")

    def release() -> bool:
        assert came.wait(10)
        return refused(
            lambda: assignment.release(held.pk, actor=actors.SYSTEM, at=timezone.now())
        )()

    assert together(reconnect, release) == [None, True]
    assert status_of(held) == Status.ACTIVE
    assert_sound()


def test_concurrent_skill_relaxation_and_push_each_happen_once(
    step: RuleStep, agent: Agent
) -> None:
    for _round in range(8):
        skill = SkillFactory(website=step.rule.website)
        now = timezone.now()
        waiting = queued(
            step, at=now - MINUTE, required_skills=[skill.pk], skill_patience=30 * SECOND
        )
        together(
            *([refused(lambda n=waiting.pk: deadlines.enforce(n, at=timezone.now()))] * 3),
            lambda: dispatch.fill(agent.pk, Channel.CHAT),
        )
        assert status_of(waiting) == Status.ACTIVE
        assert Event.objects.filter(conversation=waiting, verb=Verb.DROP_SKILLS).count() == 1
    assert_sound()


def test_concurrent_escalations_never_exceed_the_places() -> None:
    rule = RuleFactory()
    step = StepFactory(rule=rule, places=3)
    bots = [with_bot(step, at=timezone.now()) for _ in range(8)]
    for bot in bots:
        sending.add(
            bot.pk,
            author=sending.Author.VISITOR,
            body="…",
            client_id=bot.public_id,
            at=timezone.now(),
        )
    done = together(*[lambda n=bot.pk: escalation.escalate(n, at=timezone.now()) for bot in bots])
    assert sum(done) == 3
    assert Conversation.objects.filter(status=Status.QUEUED).count() == 3
    assert Conversation.objects.filter(status=Status.BOT).count() == 5
    assert_sound()


def test_concurrent_escalations_never_exceed_the_free_slots() -> None:
    step = StepFactory(places=0)
    agent = AgentFactory(slots=2)
    step.group.members.add(agent)
    connect(agent, at=timezone.now())
    bots = [with_bot(step, at=timezone.now()) for _ in range(6)]
    done = together(*[lambda n=bot.pk: escalation.escalate(n, at=timezone.now()) for bot in bots])
    assert sum(done) == 2
    assert load.free_slots(step.group_id, Channel.CHAT, at=timezone.now()) == 0
    assert Contact.objects.filter(agent=agent, ended_at=None).count() == 2
    assert_sound()


def test_only_one_of_answer_and_timer_end_succeeds(step: RuleStep, agent: Agent) -> None:
    Group.objects.update(answer_seconds=3600)
    for _round in range(6):
        AgentChannel.objects.update(is_available=True)
        with transaction.atomic():
            held = on_desk(step, agent, at=timezone.now() - 120 * MINUTE)

        def answer(held: Conversation = held) -> None:
            try:
                sending.add(
                    held.pk,
                    author=sending.Author.AGENT,
                    body="…",
                    client_id=held.public_id,
                    at=timezone.now(),
                )
            except rejections.Rejected:
                return

        _, was_refused = together(
            answer, refused(lambda n=held.pk: deadlines.enforce(n, at=timezone.now()))
        )
        answered = held.messages.count() == 1
        assert answered is was_refused
        assert AgentChannel.objects.get(agent=agent).is_available is answered
    assert_sound()
