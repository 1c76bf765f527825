"""Senders that race, crash and are killed: nothing is lost, and no conversation is reordered."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from conversations.messages import sending
from conversations.models import Author, Conversation, Message, WebhookDelivery, WebhookProgress
from conversations.webhooks import attempts, notices, owed, payloads, rounds
from conversations.webhooks.sender import Sender
from routing.models import RuleStep
from tests.conversations.webhooks.receiver import Receiver
from tests.conversations.webhooks.world import (  # noqa: F401 - fixtures
    Make,
    drain,
    make_fixture,
    open_receivers_fixture,
    owner_fixture,
    receiver_fixture,
    step_fixture,
    website_fixture,
)
from tests.factories import queued

pytestmark = pytest.mark.django_db(transaction=True)


def write_message(talk: int) -> None:
    at = timezone.now()
    sending.add(talk, author=Author.VISITOR, body="x", client_id=uuid.uuid4(), at=at)


def received_by(receiver: Receiver) -> dict[int, list[int]]:
    """Return the numbers of the messages of each conversation, in the order of arrival."""
    received: dict[int, list[int]] = defaultdict(list)
    for one in receiver.bodies:
        if one["type"] == "message.created":
            received[one["conversation"]].append(one["data"]["seq"])
    return received


def first_times(seqs: list[int]) -> list[int]:
    """Return what a receiver keeps that ignores repeats."""
    return list(dict.fromkeys(seqs))


@contextmanager
def sender() -> Iterator[Sender]:
    one = Sender()
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        yield one
    finally:
        one.stop()
        thread.join()


def test_eight_workers_send_each_message_once_and_in_order(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    webhook = make(events=["message.created"])
    talks = [queued(step).pk for _ in range(6)]
    is_over = threading.Event()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for _message in range(15):
            write_message(chance.choice(talks))
        connection.close()

    def work() -> None:
        while not is_over.wait(0.01):
            rounds.run(webhook.pk)
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    writers = [threading.Thread(target=write, args=[seed]) for seed in range(3)]
    for thread in workers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    try:
        receiver.wait_for(45)
    finally:
        is_over.set()
        for thread in workers:
            thread.join()
    assert len(receiver.ids) == len(set(receiver.ids)) == 45
    for seqs in received_by(receiver).values():
        assert seqs == list(range(1, len(seqs) + 1))


class Crash(BaseException):
    """The end of a process, as far as the code can see one."""


STAGES: dict[str, tuple[Any, str]] = {
    "after the lease": (owed, "read_feed"),
    "before it knows what is due": (owed, "due"),
    "before anything is sent": (payloads, "bodies_of"),
    "after all was sent": (rounds, "_note"),
    "before the results are stored": (owed, "store"),
    "before the results are committed": (notices, "notify_owner"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_crash_loses_and_reorders_nothing(
    make: Make,
    step: RuleStep,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    module, name = STAGES[stage]
    webhook = make(events=["message.created"])
    talks = [queued(step).pk for _ in range(3)]
    for talk in talks * 4:
        write_message(talk)

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(module, name, crash)
        with pytest.raises(Crash):
            rounds.run(webhook.pk)
    write_message(talks[0])
    assert not rounds.run(webhook.pk)  # its lease is still there
    WebhookProgress.objects.update(leased_until=timezone.now())
    drain(webhook)
    received = {talk: first_times(seqs) for talk, seqs in received_by(receiver).items()}
    assert received == {talks[0]: [1, 2, 3, 4, 5], talks[1]: [1, 2, 3, 4], talks[2]: [1, 2, 3, 4]}
    assert WebhookDelivery.objects.filter(delivered_at__isnull=False).count() == 13
    assert WebhookDelivery.objects.count() == 13


def test_a_crash_while_rows_are_made_makes_none_twice(
    make: Make, step: RuleStep, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    webhook = make()
    queued(step)
    save = WebhookProgress.save

    def crash(self: WebhookProgress, **options: Any) -> None:
        if "position" in options["update_fields"]:
            raise Crash
        save(self, **options)

    with monkeypatch.context() as patch:
        patch.setattr(WebhookProgress, "save", crash)
        with pytest.raises(Crash):
            rounds.run(webhook.pk)
    assert WebhookDelivery.objects.count() == 0
    WebhookProgress.objects.update(leased_until=timezone.now())
    drain(webhook)
    assert len(receiver.ids) == WebhookDelivery.objects.count() == 1


def test_a_sender_that_lost_its_lease_stores_nothing(
    make: Make, step: RuleStep, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = make(events=["message.created"])
    write_message(queued(step).pk)
    note = rounds._note

    def lose(*given: Any) -> None:
        WebhookProgress.objects.update(leased_until=timezone.now())
        note(*given)

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "_note", lose)
        assert not rounds.run(webhook.pk)
    assert WebhookDelivery.objects.get().is_owed
    drain(webhook)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


def test_receivers_that_hang_do_not_slow_the_others(
    make: Make,
    step: RuleStep,
    receiver: Receiver,
    open_receivers: Callable[[], Receiver],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempts, "SECONDS", 5.0)
    hanging = open_receivers()
    hanging.way = "hang"
    for _ in range(3):
        make(url=hanging.url, events=["message.created"])
    make(events=["message.created"])
    talk = queued(step).pk
    with sender():
        for number in range(1, 6):
            write_message(talk)
            receiver.wait_for(number, seconds=4)  # while the three still hang
        assert hanging.heard == []
        assert not hanging.let_go.is_set()
        hanging.let_go.set()
    assert received_by(receiver) == {talk: [1, 2, 3, 4, 5]}


def test_a_killed_process_loses_and_reorders_nothing(
    make: Make, step: RuleStep, receiver: Receiver
) -> None:
    make(events=["message.created"])
    talks = [queued(step).pk for _ in range(4)]
    for talk in talks * 10:
        write_message(talk)
    database = connections["default"].settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"{url}&port={database['PORT'] or 5432}",
        "PROVIDERS_MAY_BE_PRIVATE": "on",
    }
    command = [sys.executable, "manage.py", "send_webhooks"]
    with subprocess.Popen(command, env=environment) as process:
        receiver.wait_for(7, seconds=60)
        process.send_signal(signal.SIGKILL)
    WebhookProgress.objects.update(leased_until=timezone.now())
    webhook_id = WebhookProgress.objects.get().pk
    while rounds.run(webhook_id):
        pass
    received = {talk: first_times(seqs) for talk, seqs in received_by(receiver).items()}
    assert received == {talk: list(range(1, 11)) for talk in talks}
    assert Message.objects.count() == 40
    assert not WebhookDelivery.objects.filter(delivered_at=None).exists()
    assert Conversation.objects.count() == 4
