"""The change feed under concurrency: no gap, nothing twice, a conversation in its own order."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Agent
from conversations import feed
from conversations.feed import Cursor
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Author, Conversation, Event, FeedEntry, Message, Style
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, on_desk, queued

pytestmark = pytest.mark.django_db(transaction=True)


def write_message(conversation_id: int) -> None:
    sending.add(conversation_id, author=Author.VISITOR, body="x", client_id=uuid.uuid4(), at=NOW)


def read(cursor: Cursor) -> list[FeedEntry]:
    return list(feed.after(cursor))


@pytest.fixture
def other_session() -> Iterator[tuple[threading.Event, threading.Event]]:
    """A transaction elsewhere that has got its number and stays open until it is told."""
    begun, end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
            begun.set()
            end.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(30)
    yield begun, end
    end.set()
    thread.join()


def test_ledger_lines_and_messages_keep_their_order() -> None:
    talk = queued(StepFactory())
    write_message(talk.pk)
    verbs.push(talk.pk, agent=AgentFactory(), at=NOW)
    entries = read(Cursor())
    assert [bool(one.event_id) for one in entries] == [True, False, True]
    assert read(feed.of(entries[0])) == entries[1:]
    assert read(feed.of(entries[-1])) == []


def test_an_entry_is_withheld_until_nothing_can_precede_it(
    other_session: tuple[threading.Event, threading.Event],
) -> None:
    queued(StepFactory())
    assert FeedEntry.objects.count() == 1
    assert read(Cursor()) == []
    other_session[1].set()
    for _try in range(200):
        if entries := read(Cursor()):
            break
        time.sleep(0.05)
    assert len(entries) == 1


def test_a_transaction_that_began_earlier_does_not_put_a_conversation_out_of_order() -> None:
    """It gets its number first, and writes to the conversation last."""
    talk = queued(StepFactory())
    begun, go = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            begun.set()
            go.wait(30)
            write_message(talk.pk)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    begun.wait(30)
    write_message(talk.pk)
    go.set()
    thread.join()
    message_ids = [one.message_id for one in read(Cursor()) if one.message_id]
    assert message_ids == list(Message.objects.order_by("seq").values_list("pk", flat=True))


def test_readers_and_writers_at_once_miss_and_repeat_nothing() -> None:
    step = StepFactory(places=100)
    agent = AgentFactory()
    step.group.members.add(agent)
    talks = [on_desk(step, agent, style=Style.SOCIAL).pk for _ in range(6)]
    start = threading.Barrier(9)
    stop = threading.Event()
    read_by: list[list[tuple[int, int | None, int | None]]] = [[], []]

    def write(seed: int) -> None:
        chance = random.Random(seed)
        start.wait()
        for _turn in range(12):
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_current_xact_id()")
                time.sleep(chance.random() / 200)
                if chance.random() < 0.2:
                    write_message(chance.choice(talks))
                    transaction.set_rollback(True)
                else:
                    write_message(chance.choice(talks))
                time.sleep(chance.random() / 200)
        connection.close()

    def follow(into: list[tuple[int, int | None, int | None]]) -> None:
        start.wait()
        cursor, is_last = Cursor(), False
        while True:
            is_last = stop.is_set()
            entries = list(feed.after(cursor)[:7])
            into += [(one.conversation_id, one.event_id, one.message_id) for one in entries]
            cursor = feed.of(entries[-1]) if entries else cursor
            if is_last and not entries:
                break
        connection.close()

    writers = [threading.Thread(target=write, args=[seed]) for seed in range(7)]
    readers = [threading.Thread(target=follow, args=[into]) for into in read_by]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    expected = set(Message.objects.values_list("pk", flat=True))
    events = set(Event.objects.values_list("pk", flat=True))
    for entries in read_by:
        messages = [message for _talk, _event, message in entries if message]
        assert len(messages) == len(set(messages))
        assert set(messages) == expected
        assert {event for _talk, event, _message in entries if event} == events
        order = defaultdict(list)
        for talk, _event, message in entries:
            if message:
                order[talk].append(message)
        for talk, ids in order.items():
            stored = Message.objects.filter(conversation=talk).order_by("seq")
            assert ids == list(stored.values_list("pk", flat=True))


def test_a_rollback_leaves_nothing() -> None:
    talk = queued(StepFactory())
    with transaction.atomic():
        write_message(talk.pk)
        transaction.set_rollback(True)
    assert [one.message_id for one in read(Cursor())] == [None]


def test_positions_go_on_after_a_restore_into_another_server() -> None:
    talk = queued(StepFactory())
    FeedEntry.objects.update(position=10**12)  # by a server that had run for years
    assert read(Cursor()) == []
    feed.rebase()
    old = read(Cursor())
    assert len(old) == 1
    write_message(talk.pk)
    queued(StepFactory())
    assert len(read(feed.of(old[0]))) == 2


def age(*entries: FeedEntry) -> None:
    at = timezone.now() - timedelta(days=91)
    FeedEntry.objects.filter(pk__in=[one.pk for one in entries]).update(created_at=at)


def test_a_reader_that_missed_nothing_goes_on_though_its_cursor_is_older_than_all() -> None:
    beginning = feed.now()
    with transaction.atomic():  # takes the first number of an entry and never commits
        queued(StepFactory())
        transaction.set_rollback(True)
    queued(StepFactory())
    assert FeedEntry.objects.get().pk > 1
    assert len(read(beginning)) == 1


def test_a_reader_of_everything_goes_on_after_all_was_deleted() -> None:
    queued(StepFactory())
    old = FeedEntry.objects.get()
    age(old)
    feed.purge(at=timezone.now())
    assert read(feed.of(old)) == []
    queued(StepFactory())
    assert len(read(feed.of(old))) == 1


def test_a_reader_whose_last_entry_was_erased_goes_on() -> None:
    queued(StepFactory())
    erased = FeedEntry.objects.get()
    last = feed.of(erased)
    queued(StepFactory())
    erased.delete()
    assert len(read(last)) == 1


def test_only_readers_of_what_was_deleted_are_refused() -> None:
    talk = queued(StepFactory())
    for _ in range(3):
        write_message(talk.pk)
    entries = read(Cursor())
    age(*entries[:3])
    assert feed.purge(at=timezone.now()) == 3
    for missed in entries[:2]:
        with pytest.raises(feed.Expired):
            read(feed.of(missed))
    assert [one.pk for one in read(feed.of(entries[2]))] == [entries[3].pk]
    age(entries[3])
    assert feed.purge(at=timezone.now()) == 1
    assert feed.purge(at=timezone.now()) == 0
    with pytest.raises(feed.Expired):
        read(feed.of(entries[2]))
    assert read(feed.of(entries[3])) == []
    assert read(Cursor()) == []


def test_a_purge_between_the_check_and_the_reading_hides_no_gap() -> None:
    talk = queued(StepFactory())
    write_message(talk.pk)
    write_message(talk.pk)
    entries = read(Cursor())
    rows = feed.after(feed.of(entries[0]))
    age(*entries[:2])
    feed.purge(at=timezone.now())
    assert list(rows) == []


def test_a_cursor_of_now_skips_earlier_entries() -> None:
    queued(StepFactory())
    cursor = feed.now()
    assert read(cursor) == []
    queued(StepFactory())
    assert len(read(feed.parse(str(cursor)))) == 1


@pytest.mark.parametrize("text", ["x", "1", "1.", "-1.2", "1.2.3", "9" * 19 + ".1", "1.²"])
def test_a_wrong_cursor_is_refused(text: str) -> None:
    with pytest.raises(feed.Malformed):
        feed.parse(text)


def test_every_move_of_one_statement_has_an_entry() -> None:
    step = StepFactory(places=100)
    agent: Agent = AgentFactory(slots=50)
    talks = [queued(step) for _ in range(20)]
    with transaction.atomic():
        locked = [verbs.lock(one.pk) for one in talks]
        verbs.push_many(locked, agent=agent, at=NOW, slots=50)
    assert len(read(Cursor())) == 40
    verbs.release(talks[0].pk, actor=actors.SYSTEM, at=NOW)
    assert Conversation.objects.get(pk=talks[0].pk).status == Status.QUEUED
    assert len(read(Cursor())) == 41
