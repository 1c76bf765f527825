"""Outbox entries run at least once, in one process at a time, and are never silently lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now

from conversations.facts import SlotFreed, SurveyAnswered
from conversations.lifecycle import invariants
from core.events import bus, outbox
from core.events.facts import Fact
from core.models import OutboxEntry
from tests.clock import NOW

done: list[int] = []
failures: list[Exception] = []


def note(*, conversation_id: int, website_id: int) -> None:
    """A reaction that fails as long as ``failures`` has something to raise."""
    if failures:
        raise failures.pop()
    done.append(conversation_id)


async def shown(fact: SurveyAnswered) -> None:
    done.append(-fact.conversation_id)


async def broken(fact: Fact) -> None:
    raise ConnectionError("the screen is gone")


@pytest.fixture(autouse=True)
def wires() -> Iterator[None]:
    """Wire only ``note``, durably."""
    from config import wiring

    done.clear()
    failures.clear()
    bus.forget()
    bus.on_durably(SurveyAnswered, note)
    yield
    wiring.connect()


FACT = SurveyAnswered(conversation_id=7, website_id=1)


def entry() -> OutboxEntry:
    return OutboxEntry.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_reaction_runs_at_once_after_the_commit() -> None:
    with transaction.atomic():
        bus.publish(FACT)
        assert done == []
    assert done == [7]
    assert entry().done_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_fact_is_not_enqueued() -> None:
    with transaction.atomic():
        bus.publish(FACT)
        transaction.set_rollback(True)
    assert (done, OutboxEntry.objects.count()) == ([], 0)


@pytest.mark.django_db
def test_a_crash_between_commit_and_delivery_loses_nothing() -> None:
    bus.publish(FACT)  # nothing is committed here, so nothing is delivered
    assert done == []
    assert outbox.deliver_due() == 1
    assert outbox.deliver_due() == 0
    assert done == [7]


@pytest.mark.django_db
def test_an_interrupted_reaction_is_retried_after_its_lease() -> None:
    bus.publish(FACT)
    OutboxEntry.objects.update(leased_until=Now() + timedelta(seconds=5), attempts=1)
    assert outbox.deliver_due() == 0
    OutboxEntry.objects.update(leased_until=Now() - timedelta(seconds=1))
    assert outbox.deliver_due() == 1
    assert (done, entry().attempts) == ([7], 2)


@pytest.mark.django_db
def test_a_delivered_entry_is_not_delivered_again() -> None:
    bus.publish(FACT)
    assert outbox.deliver(entry().pk)
    assert not outbox.deliver(entry().pk)
    assert done == [7]


@pytest.mark.django_db
@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 2), (2, 4), (8, 256)])
def test_retry_delays_grow_with_each_failure(attempts: int, seconds: int) -> None:
    bus.publish(FACT)
    OutboxEntry.objects.update(attempts=attempts)
    failures.append(ValueError("not now"))
    assert not outbox.deliver(entry().pk)
    owed = entry()
    assert (owed.leased_until, owed.dead_at, owed.attempts) == (None, None, attempts + 1)
    assert "not now" in owed.last_error
    wait = (owed.due_at - owed.created_at).total_seconds()
    assert seconds <= wait < seconds + 60
    assert outbox.deliver_due() == 0
    OutboxEntry.objects.update(due_at=Now())
    assert outbox.deliver_due() == 1


@pytest.mark.django_db
def test_an_entry_is_dead_and_reported_after_ten_attempts() -> None:
    bus.publish(FACT)
    OutboxEntry.objects.update(attempts=outbox.ATTEMPTS - 1)
    failures.append(ValueError("gone"))
    assert not outbox.deliver(entry().pk)
    assert entry().dead_at is not None
    assert not outbox.deliver(entry().pk)
    (finding,) = invariants.findings(at=NOW)
    assert (finding.check, "gone" in finding.what) == ("outbox", True)


@pytest.mark.django_db
def test_an_unknown_reaction_fails_with_its_name() -> None:
    OutboxEntry.objects.create(reaction="of.a.former.release", payload={})
    assert not outbox.deliver(entry().pk)
    assert "of.a.former.release" in entry().last_error


@pytest.mark.django_db
def test_a_failing_entry_does_not_delay_others() -> None:
    for number in (1, 2, 3):
        bus.publish(SurveyAnswered(conversation_id=number, website_id=1))
    failures.append(ValueError("the first one"))
    assert outbox.deliver_due() == 2
    assert sorted(done) == [2, 3]


@pytest.mark.django_db
def test_a_fact_without_reactions_is_not_enqueued() -> None:
    bus.publish(SlotFreed(agent_id=1))
    assert not OutboxEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_failing_live_reaction_does_not_affect_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus.on(SurveyAnswered, broken, shown)
    with caplog.at_level(logging.ERROR), transaction.atomic():
        bus.publish(FACT)
    assert done == [-7, 7]
    assert "live reaction lost" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_push_to_an_unreachable_layer_is_logged(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from channels.layers import channel_layers

    from conversations.facts import ConversationMoved
    from messenger.live import show_move

    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "core.realtime.channel_layer.Layer",
            "CONFIG": {"hosts": ["unix:///nowhere/valkey.sock"]},
        }
    }
    channel_layers.backends.clear()
    bus.on(ConversationMoved, show_move)
    fact = ConversationMoved(
        conversation_id=1,
        public_id="x",
        website_id=1,
        visitor_id=1,
        verb="push",
        status="active",
        status_before="queued",
        agent_id=1,
        agent_before=None,
        group_id=1,
        group_before=None,
    )
    with caplog.at_level(logging.WARNING), transaction.atomic():
        bus.publish(fact)
    channel_layers.backends.clear()
    assert "1 push(es) lost" in caplog.text
