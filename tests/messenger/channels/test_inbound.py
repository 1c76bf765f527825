"""What comes by an inbox: once, in order, with its files, and never lost."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from accounts.models import Channel
from conversations.lifecycle.transitions import Status
from conversations.models import (
    Author,
    Block,
    Conversation,
    Correspondent,
    InboundMessage,
    InboundStatus,
    Message,
    Style,
    Visitor,
)
from core.events import outbox
from messenger.channels import inbound
from routing.dispatch import drain_waiting
from tests.clock import NOW
from tests.messenger.channels.stand_in import Provider
from tests.messenger.channels.world import (
    a_step,
    an_agent,
    an_inbox,
    deliver,
    telegram_text,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]


def bodies() -> list[str]:
    return list(Message.objects.order_by("seq").values_list("body", flat=True))


def test_a_first_message_begins_a_conversation_of_messaging_in_the_style_of_social() -> None:
    inbox = an_inbox(a_step())
    assert deliver(inbox, telegram_text(1, "Bonjour, où est ma commande ?")) == 200
    outbox.deliver_due()
    conversation = Conversation.objects.get()
    assert (conversation.channel, conversation.style) == (Channel.MESSAGING, Style.SOCIAL)
    assert conversation.solved_window == timedelta(days=4)
    assert (conversation.status, conversation.inbox) == (Status.QUEUED, inbox)
    assert conversation.visitor.shown_name == "Jeanne Moreau"
    assert conversation.language == "fr"
    assert bodies() == ["Bonjour, où est ma commande ?"]


def test_the_ledger_says_by_which_channel_a_conversation_began() -> None:
    inbox = an_inbox(a_step())
    deliver(inbox, telegram_text(1, "Bonjour"))
    outbox.deliver_due()
    data = Conversation.objects.get().events.first().data
    assert (data["channel"], data["inbox"]) == ("telegram", inbox.name)


def test_it_reaches_an_agent_with_slots_of_messaging() -> None:
    step = a_step()
    agent = an_agent(step)
    deliver(an_inbox(step), telegram_text(1, "Bonjour"))
    outbox.deliver_due()
    drain_waiting(channel=Channel.MESSAGING, group_id=step.group_id, agent_id=None)
    assert Conversation.objects.get().agent == agent


def test_what_a_provider_delivers_again_is_stored_once() -> None:
    inbox = an_inbox(a_step())
    for _repeat in range(3):
        assert deliver(inbox, telegram_text(1, "Bonjour")) == 200
        outbox.deliver_due()
    assert bodies() == ["Bonjour"]
    assert InboundMessage.objects.count() == 1


def test_messages_go_into_the_open_conversation_in_the_order_in_which_they_were_written() -> None:
    inbox = an_inbox(a_step())
    for number in (3, 1, 2):
        deliver(inbox, telegram_text(number, f"message {number}"))
    outbox.deliver_due()
    assert Conversation.objects.count() == 1
    assert bodies() == ["message 1", "message 2", "message 3"]


def test_two_people_are_two_visitors_even_with_the_same_name() -> None:
    inbox = an_inbox(a_step())
    deliver(inbox, telegram_text(1, "Bonjour", chat=77))
    deliver(inbox, telegram_text(2, "Bonjour", chat=78))
    outbox.deliver_due()
    assert Visitor.objects.count() == Conversation.objects.count() == 2


def test_words_that_find_no_room_wait_and_their_sender_is_told_once(
    telegram: Provider, clock: time_machine.Traveller
) -> None:
    step = a_step(places=1)
    inbox = an_inbox(step)
    deliver(inbox, telegram_text(1, "premier", chat=1))
    outbox.deliver_due()
    deliver(inbox, telegram_text(2, "second", chat=2))
    deliver(inbox, telegram_text(3, "encore", chat=2))
    outbox.deliver_due()
    assert bodies() == ["premier"]
    assert InboundMessage.objects.filter(status=InboundStatus.WAITING).count() == 2
    for _minute in range(3):
        clock.shift(timedelta(minutes=1, seconds=1))
        inbound.take_due()
    assert len(telegram.texts) == 1
    step.places = 5
    step.save()
    clock.shift(timedelta(minutes=1, seconds=1))
    inbound.take_due()
    waited = Conversation.objects.get(visitor__correspondent__address="2")
    assert [one.body for one in waited.messages.all()] == ["second", "encore"]
    assert not InboundMessage.objects.filter(status=InboundStatus.WAITING).exists()


def test_what_was_taken_is_stored_in_the_conversation_only() -> None:
    inbox = an_inbox(a_step())
    deliver(inbox, telegram_text(1, "un secret"))
    assert InboundMessage.objects.get().content["text"] == "un secret"
    outbox.deliver_due()
    row = InboundMessage.objects.get()
    assert (row.status, row.content) == (InboundStatus.ACCEPTED, {})
    assert row.conversation == Conversation.objects.get()


def test_a_blocked_visitor_is_refused_and_not_asked_again() -> None:
    inbox = an_inbox(a_step())
    deliver(inbox, telegram_text(1, "Bonjour"))
    visitor = Correspondent.objects.get().visitor
    Block.objects.create(
        website=inbox.website,
        visitor=visitor,
        blocked_at=NOW,
        blocked_by=an_agent(inbox.rule.steps.get()).user,
    )
    outbox.deliver_due()
    row = InboundMessage.objects.get()
    assert (row.status, row.reason) == (InboundStatus.REFUSED, "the visitor is blocked")
    assert not Conversation.objects.exists()


def test_a_picture_is_fetched_and_becomes_a_message_with_its_caption(telegram: Provider) -> None:
    inbox = an_inbox(a_step())
    photo = [{"file_id": "small", "width": 1}, {"file_id": "large", "width": 2}]
    update = telegram_text(1, "", photo=photo, caption="Cassé à l'arrivée")
    deliver(inbox, update)
    outbox.deliver_due()
    words, picture = Message.objects.order_by("seq")
    assert words.body == "Cassé à l'arrivée"
    assert picture.attachment is not None
    assert (picture.attachment.name, picture.attachment.content_type) == ("photo.png", "image/png")
    assert picture.author == Author.VISITOR
    assert telegram.heard[0]["data"] == {"file_id": "large"}


def test_a_file_that_cannot_be_had_now_is_fetched_later(
    telegram: Provider, clock: time_machine.Traveller
) -> None:
    inbox = an_inbox(a_step())
    telegram.fail_next({"status": 429, "retry_after": 30})
    deliver(inbox, telegram_text(1, "", photo=[{"file_id": "x"}]))
    deliver(inbox, telegram_text(2, "et après"))
    outbox.deliver_due()
    assert not Conversation.objects.exists(), "the next message waits for it"
    clock.shift(timedelta(seconds=29))
    inbound.take_due()
    assert not Conversation.objects.exists()
    clock.shift(timedelta(seconds=2))
    inbound.take_due()
    assert [bool(one.attachment) for one in Message.objects.order_by("seq")] == [True, False]


def test_a_file_that_is_refused_is_named_in_the_words(telegram: Provider) -> None:
    inbox = an_inbox(a_step())
    inbox.website.takes_files = False
    inbox.website.save()
    deliver(inbox, telegram_text(1, "", caption="Voici", photo=[{"file_id": "x"}]))
    outbox.deliver_due()
    (body,) = bodies()
    assert body.startswith("Voici\n")
    assert "photo" in body


def test_a_long_text_becomes_several_messages() -> None:
    inbox = an_inbox(a_step())
    deliver(inbox, telegram_text(1, "a" * 4090))
    outbox.deliver_due()
    assert [len(body) for body in bodies()] == [4000, 90]


def test_an_inbox_that_was_switched_off_accepts_and_takes_nothing() -> None:
    inbox = an_inbox(a_step())
    deliver(inbox, telegram_text(1, "Bonjour"))
    inbox.is_active = False
    inbox.save()
    assert deliver(inbox, telegram_text(2, "encore")) == 404
    outbox.deliver_due()
    assert not Conversation.objects.exists()
    inbox.is_active = True
    inbox.save()
    inbound.take_due()
    assert bodies() == ["Bonjour"]


def test_a_crash_after_the_answer_to_the_provider_loses_nothing(
    clock: time_machine.Traveller,
) -> None:
    """The worker never hears of it: the sweep takes the row."""
    inbox = an_inbox(a_step())
    deliver(inbox, telegram_text(1, "Bonjour"))
    inbound.take_due()
    assert bodies() == ["Bonjour"]
    outbox.deliver_due()
    assert bodies() == ["Bonjour"]


def test_eight_workers_keep_the_order_and_take_everything_once() -> None:
    inbox = an_inbox(a_step(places=10))
    for number in range(1, 21):
        deliver(inbox, telegram_text(number, f"{number}", chat=number % 2 + 1))
    barrier = threading.Barrier(8)
    failed: list[Exception] = []

    def work() -> None:
        try:
            barrier.wait()
            inbound.take_due()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failed
    for address in ("1", "2"):
        talk = Conversation.objects.get(visitor__correspondent__address=address)
        numbers = [int(one.body) for one in talk.messages.order_by("seq")]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10


def test_two_first_deliveries_at_once_make_one_visitor() -> None:
    inbox = an_inbox(a_step())
    barrier, statuses = threading.Barrier(4), list[int]()

    def work(number: int) -> None:
        barrier.wait()
        statuses.append(deliver(inbox, telegram_text(number, f"{number}")))
        connection.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert statuses == [200] * 4
    assert Visitor.objects.count() == Correspondent.objects.count() == 1
    inbound.take_due()
    assert sorted(bodies()) == ["1", "2", "3", "4"]
