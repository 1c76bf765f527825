"""Many deadlines enforced together have the same effect as one by one, and each fires once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Agent
from conversations import tasks
from conversations.lifecycle import actors, deadlines, invariants, verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Author, Conversation, Event, Style, Survey
from core.models import OutboxEntry
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import in_status, on_desk, queued, with_bot

LATER = NOW + timedelta(days=30)
HOUR = timedelta(hours=1)


def snoozed(step: RuleStep, agent: Agent, *, keep: bool, auto_close: bool) -> Conversation:
    conversation = on_desk(step, agent)
    sending.add(
        conversation.pk,
        author=Author.AGENT,
        body="À demain",
        client_id=conversation.public_id,
        at=NOW,
    )
    return verbs.snooze(
        conversation.pk,
        until=NOW + HOUR,
        keep=keep,
        auto_close=auto_close,
        actor=actors.agent(agent.user),
        at=NOW,
    )


def relaxing(step: RuleStep) -> Conversation:
    conversation = queued(step)
    Conversation.objects.filter(pk=conversation.pk).update(
        required_skills=[7], deadline_at=NOW + HOUR, deadline_kind="skill_relaxation"
    )
    return conversation


KINDS: dict[str, tuple[Callable[[RuleStep, Agent], Conversation], Status]] = {
    "kept": (lambda s, a: snoozed(s, a, keep=True, auto_close=False), Status.ASSIGNED),
    "left": (lambda s, a: snoozed(s, a, keep=False, auto_close=False), Status.QUEUED),
    "closing": (lambda s, a: snoozed(s, a, keep=False, auto_close=True), Status.CLOSED),
    "assigned": (lambda s, a: in_status(Status.ASSIGNED, s, a), Status.QUEUED),
    "solved": (lambda s, a: in_status(Status.SOLVED, s, a), Status.CLOSED),
    "bot": (lambda s, a: with_bot(s), Status.CLOSED),
    "relaxing": (lambda s, a: relaxing(s), Status.QUEUED),
}


def state_of(conversation: Conversation) -> dict[str, object]:
    """Return its state, without what differs in every conversation."""
    conversation.refresh_from_db()
    row = {
        name: value
        for name, value in vars(conversation).items()
        if name not in {"_state", "id", "public_id", "visitor_id"}
    }
    event = conversation.events.last()
    assert event is not None
    line = (event.verb, event.actor_kind, event.to_status, event.data, event.deadline_at)
    contacts = list(conversation.contacts.values_list("ended_at", "end_reason"))
    offered = list(conversation.surveys.values_list("agent", "group", "offered_at"))
    return row | {"line": line, "contacts": contacts, "surveys": offered}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_batch_enforcement_has_the_effect_of_single_enforcement(
    kind: str, step: RuleStep, agent: Agent
) -> None:
    make, target = KINDS[kind]
    alone, *together = (make(step, agent) for _ in range(3))
    deadlines.enforce(alone.pk, at=LATER)
    assert deadlines.enforce_many(at=LATER) == 2
    alone.refresh_from_db()
    assert alone.status == target
    assert [state_of(one) for one in together] == [state_of(alone)] * 2
    assert [f for f in invariants.findings(at=NOW) if f.check != "outbox"] == []


@pytest.mark.django_db
def test_batch_contains_all_kinds_of_due_deadlines_only(step: RuleStep, agent: Agent) -> None:
    conversations = {kind: make(step, agent) for kind, (make, _target) in KINDS.items()}
    assert deadlines.enforce_many(at=NOW) == 0
    assert deadlines.enforce_many(at=LATER) == len(conversations)
    assert deadlines.enforce_many(at=NOW + HOUR) == 0
    for kind, conversation in conversations.items():
        conversation.refresh_from_db()
        assert conversation.status == KINDS[kind][1], kind


@pytest.mark.django_db
def test_query_count_does_not_depend_on_number_of_deadlines(step: RuleStep, agent: Agent) -> None:
    def cost(number: int) -> int:
        for _ in range(number):
            snoozed(step, agent, keep=False, auto_close=True)
        with CaptureQueriesContext(connection) as queries:
            assert deadlines.enforce_many(at=LATER) == number
        return len(queries)

    assert cost(2) == cost(12)
    assert Survey.objects.count() == 14


@pytest.mark.django_db
def test_entering_a_groups_queue_enqueues_one_drain(step: RuleStep, agent: Agent) -> None:
    for _ in range(5):
        snoozed(step, agent, keep=False, auto_close=False)
    OutboxEntry.objects.all().delete()
    assert deadlines.enforce_many(at=LATER) == 5
    assert OutboxEntry.objects.count() == 1


@pytest.mark.django_db
def test_invalid_conversation_does_not_block_the_others(
    step: RuleStep, agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    lost = snoozed(step, agent, keep=False, auto_close=False)
    Conversation.objects.filter(pk=lost.pk).update(group=None)
    others = [snoozed(step, agent, keep=False, auto_close=False) for _ in range(2)]
    assert deadlines.enforce_many(at=LATER) == 2
    assert f"conversation {lost.pk} cannot execute" in caplog.text
    for other in others:
        other.refresh_from_db()
        assert other.status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_database_error_does_not_block_the_others(
    step: RuleStep, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (
        snoozed(step, agent, keep=False, auto_close=True),
        snoozed(step, agent, keep=False, auto_close=True),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE conversations_event ADD CONSTRAINT spoilt"
            f" CHECK (conversation_id <> {bad.pk} OR verb <> 'close')"
        )
    monkeypatch.setattr(deadlines, "database_now", lambda: LATER)
    try:
        assert tasks.enforce_deadlines() == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE conversations_event DROP CONSTRAINT spoilt")
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, good.status) == (Status.SNOOZED, Status.CLOSED)


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_enforce_each_deadline_once(step: RuleStep, agent: Agent) -> None:
    conversations = [snoozed(step, agent, keep=False, auto_close=True) for _ in range(24)]
    before = Event.objects.count()
    start = threading.Barrier(4)
    moved: list[int] = []

    def work() -> None:
        try:
            start.wait()
            while some := deadlines.enforce_many(at=LATER, limit=7):
                moved.append(some)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moved) == len(conversations)
    assert Event.objects.count() - before == len(conversations)
    assert set(Conversation.objects.values_list("status", flat=True)) == {Status.CLOSED}


@pytest.mark.django_db
def test_solved_social_conversation_closes_after_its_window(step: RuleStep, agent: Agent) -> None:
    solved = in_status(Status.SOLVED, step, agent)
    assert solved.style == Style.SOCIAL
    assert deadlines.enforce_many(at=NOW + timedelta(days=3)) == 0
    assert deadlines.enforce_many(at=LATER) == 1
