"""The sweep pushes conversations that no event has pushed, and counts only those."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Agent
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from core.events import bus, outbox
from core.models import OutboxEntry
from routing import dispatch, repairs
from routing.models import Repair, RuleStep
from tests.factories import AgentFactory, StepFactory, connect, queued

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairs, "SECOND_LOOK", timedelta(milliseconds=300))


@pytest.fixture
def deaf() -> Iterator[None]:
    """A fault: no reactions are wired."""
    from config import wiring

    bus.forget()
    yield
    wiring.connect()


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=9)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(slots=2)
    step.group.members.add(agent)
    connect(agent, at=timezone.now())
    return agent


def test_a_healthy_system_needs_no_repair(step: RuleStep, agent: Agent) -> None:
    waiting = [queued(step, at=timezone.now()) for _ in range(3)]
    assert repairs.sweep(at=timezone.now()) == 0
    assert repairs.of([step.rule.website]) == repairs.Repairs(count=0, last_at=None)
    assert [Conversation.objects.get(pk=one.pk).status for one in waiting] == [
        Status.ACTIVE,
        Status.ACTIVE,
        Status.QUEUED,
    ]


def test_a_missed_push_is_repaired_and_counted(deaf: None, step: RuleStep, agent: Agent) -> None:
    waiting = [queued(step, at=timezone.now()) for _ in range(3)]
    assert repairs.sweep(at=timezone.now()) == 2
    counted = repairs.of([step.rule.website])
    assert counted.count == 2
    assert counted.last_at is not None
    assert repairs.of([step.rule.website], since=counted.last_at + timedelta(seconds=1)).count == 0
    assert repairs.of([StepFactory().rule.website]).count == 0
    mended = Repair.objects.order_by("conversation").values_list("conversation_id", "agent_id")
    assert list(mended) == [(one.pk, agent.pk) for one in waiting[:2]]
    assert repairs.sweep(at=timezone.now()) == 0


def test_a_pending_drain_is_not_counted_as_a_repair(
    deaf: None, step: RuleStep, agent: Agent
) -> None:
    """A worker is about to push it, or died and the outbox will run it again."""
    waiting = queued(step, at=timezone.now())
    outbox.enqueue([(outbox.register(dispatch.drain_agent), {"agent_id": agent.pk})])
    assert repairs.sweep(at=timezone.now()) == 0
    assert Conversation.objects.get(pk=waiting.pk).status == Status.ACTIVE  # all the same
    assert not Repair.objects.exists()
    OutboxEntry.objects.all().delete()


def test_a_push_under_way_is_not_counted_as_a_repair(
    deaf: None, step: RuleStep, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It commits between the two checks."""
    monkeypatch.setattr(repairs, "SECOND_LOOK", timedelta(seconds=2))
    waiting = queued(step, at=timezone.now())
    locked = threading.Event()

    def push() -> None:
        with transaction.atomic():
            Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
            locked.set()
            connection.cursor().execute("SELECT pg_sleep(0.15)")
            dispatch.serve(agent.pk, waiting.channel)  # type: ignore[arg-type]
        connection.close()

    thread = threading.Thread(target=push)
    thread.start()
    locked.wait(5)
    assert repairs.sweep(at=timezone.now()) == 0
    thread.join()
    assert Conversation.objects.get(pk=waiting.pk).status == Status.ACTIVE
    assert not Repair.objects.exists()
