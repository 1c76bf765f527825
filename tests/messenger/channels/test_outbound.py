"""What leaves by an inbox: in order, again after a failure, and with what the provider said."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction

from conversations.messages import sending
from conversations.models import (
    Author,
    Conversation,
    Inbox,
    OutboundMessage,
    OutboundStatus,
)
from core.events import outbox
from messenger.channels import outbound
from tests.clock import NOW
from tests.elsewhere import elsewhere
from tests.factories import on_desk
from tests.messenger.channels.stand_in import PICTURE, Provider
from tests.messenger.channels.world import (
    a_step,
    an_agent,
    an_inbox,
    answer,
    answer_file,
    deliver,
    telegram_text,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]


@pytest.fixture
def talk() -> Conversation:
    """A conversation that came by Telegram, on the desk of an agent."""
    step = a_step()
    an_agent(step)
    deliver(an_inbox(step), telegram_text(1, "Bonjour", chat=42))
    outbox.deliver_due()
    outbox.deliver_due()
    conversation = Conversation.objects.get()
    assert conversation.agent is not None
    return conversation


def states() -> list[str]:
    return list(OutboundMessage.objects.order_by("seq").values_list("status", flat=True))


def test_an_answer_is_sent_to_the_chat_it_came_from(telegram: Provider, talk: Conversation) -> None:
    answer(talk, "Bonjour Jeanne")
    outbox.deliver_due()
    assert [one["data"] for one in telegram.heard] == [{"chat_id": "42", "text": "Bonjour Jeanne"}]
    row = OutboundMessage.objects.get()
    assert (row.status, row.provider_id) == (OutboundStatus.SENT, "1")


def test_a_conversation_of_the_messenger_owes_nothing(telegram: Provider) -> None:
    step = a_step()
    conversation = on_desk(step, an_agent(step))
    answer(conversation, "Bonjour")
    outbox.deliver_due()
    assert not OutboundMessage.objects.exists()
    assert telegram.heard == []


def test_the_visitors_own_words_are_not_sent_back(telegram: Provider, talk: Conversation) -> None:
    answer(talk, "un")
    sending.add(talk.pk, author=Author.VISITOR, body="deux", client_id=uuid.uuid4(), at=NOW)
    answer(talk, "trois")
    outbox.deliver_due()
    assert telegram.texts == ["un", "trois"]


def test_the_choices_of_a_bot_are_buttons_and_a_pressed_one_is_an_answer(
    telegram: Provider, talk: Conversation
) -> None:
    offer = {"text": "Livraison ?", "choices": ["Oui", "Non, merci"], "cards": []}
    answer(talk, "Livraison ?\n\n• Oui\n• Non, merci", offer=offer)
    outbox.deliver_due()
    data = telegram.heard[0]["data"]
    rows = data["reply_markup"]["inline_keyboard"]
    assert [row[0]["text"] for row in rows] == ["Oui", "Non, merci"]
    pressed = {
        "update_id": 2000,
        "callback_query": {
            "id": "1",
            "from": {"id": 42, "first_name": "Jeanne"},
            "data": rows[1][0]["callback_data"],
            "message": {
                "message_id": 9,
                "chat": {"id": 42, "type": "private"},
                "reply_markup": data["reply_markup"],
            },
        },
    }
    deliver(Inbox.objects.get(), pressed)
    outbox.deliver_due()
    last = talk.messages.order_by("-seq").first()
    assert last is not None
    assert (last.author, last.body) == (Author.VISITOR, "Non, merci")


def test_a_429_waits_as_long_as_the_provider_asks_and_keeps_the_order(
    telegram: Provider, talk: Conversation, clock: time_machine.Traveller
) -> None:
    telegram.fail_next({"status": 429, "retry_after": 40})
    answer(talk, "un")
    answer(talk, "deux")
    outbox.deliver_due()
    assert telegram.texts == []
    clock.shift(timedelta(seconds=39))
    outbound.send_due()
    assert telegram.texts == []
    clock.shift(timedelta(seconds=2))
    outbound.send_due()
    assert telegram.texts == ["un", "deux"]
    assert states() == ["sent", "sent"]


def test_a_provider_in_trouble_is_asked_again_with_growing_pauses(
    telegram: Provider, talk: Conversation, clock: time_machine.Traveller
) -> None:
    telegram.fail_next({"status": 502}, {"status": 502}, {"status": 503})
    answer(talk, "Bonjour")
    outbox.deliver_due()
    waits = []
    for _attempt in range(3):
        row = OutboundMessage.objects.get()
        waits.append((row.due_at - NOW).total_seconds())
        clock.move_to(row.due_at)
        outbound.send_due()
    assert waits == [2, 6, 14]
    assert telegram.texts == ["Bonjour"]


def test_after_a_day_the_message_has_failed_and_the_next_one_is_tried(
    telegram: Provider, talk: Conversation, clock: time_machine.Traveller
) -> None:
    telegram.fail_next({"status": 502}, {"status": 502})
    answer(talk, "un")
    answer(talk, "deux")
    outbox.deliver_due()
    clock.shift(timedelta(hours=24, seconds=1))
    outbound.send_due()
    assert states() == ["failed", "sent"]
    assert OutboundMessage.objects.order_by("seq")[0].reason == outbound.TOO_LATE


def test_somebody_who_blocked_the_bot_is_named_and_not_asked_again(
    telegram: Provider, talk: Conversation
) -> None:
    telegram.fail_next({"status": 403})
    answer(talk, "Bonjour")
    outbox.deliver_due()
    row = OutboundMessage.objects.get()
    assert (row.status, "blocked the bot" in row.reason) == (OutboundStatus.FAILED, True)


def test_an_expired_token_is_shown_beside_the_inbox_and_costs_no_message(
    telegram: Provider, talk: Conversation, clock: time_machine.Traveller
) -> None:
    telegram.fail_next({"status": 401})
    answer(talk, "Bonjour")
    outbox.deliver_due()
    assert "does not accept the token" in Inbox.objects.get().trouble
    assert states() == ["owed"]
    clock.shift(timedelta(minutes=1))
    outbound.send_due()
    assert Inbox.objects.get().trouble == ""
    assert states() == ["sent"]


def test_a_crash_between_commit_and_delivery_loses_nothing(
    telegram: Provider, talk: Conversation
) -> None:
    """No worker is told: the outbox has the entry, and its sweep delivers it, once."""
    answer(talk, "Bonjour")
    assert not OutboundMessage.objects.exists()
    outbox.deliver_due()
    outbox.deliver_due()
    outbound.send_due()
    assert telegram.texts == ["Bonjour"]


def test_a_crash_before_the_providers_answer_was_recorded_sends_it_once_more(
    telegram: Provider, talk: Conversation, clock: time_machine.Traveller
) -> None:
    answer(talk, "un")
    answer(talk, "deux")
    outbound.owe(talk.pk, at=NOW)
    assert outbound._claim(talk.pk, at=NOW) is not None  # and the process dies
    outbound.send_due()
    assert telegram.texts == [], "another worker might still be sending it"
    clock.shift(outbound.LEASE + timedelta(seconds=1))
    outbound.send_due()
    assert telegram.texts == ["un", "deux"]


def test_a_lost_answer_is_tried_again(
    telegram: Provider, talk: Conversation, clock: time_machine.Traveller
) -> None:
    telegram.fail_next({"cut": True})
    answer(talk, "Bonjour")
    outbox.deliver_due()
    assert states() == ["owed"]
    clock.shift(timedelta(seconds=3))
    outbound.send_due()
    assert telegram.texts == ["Bonjour", "Bonjour"]  # Telegram has no ids of ours.
    assert states() == ["sent"]


def test_a_claim_does_not_wait_for_another_worker(telegram: Provider, talk: Conversation) -> None:
    answer(talk, "un")
    outbound.owe(talk.pk, at=NOW)
    with transaction.atomic():
        OutboundMessage.objects.select_for_update().get()
        assert elsewhere(lambda: outbound._claim(talk.pk, at=NOW)) is None
    assert outbound._claim(talk.pk, at=NOW) is not None


def test_eight_workers_send_each_message_once_and_in_order(
    telegram: Provider, talk: Conversation
) -> None:
    for number in range(12):
        answer(talk, f"{number}")
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        outbound.send(conversation_id=talk.pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    outbound.send(conversation_id=talk.pk)
    assert telegram.texts == [f"{number}" for number in range(12)]


def test_a_file_is_sent_as_a_document_or_a_photo(telegram: Provider, talk: Conversation) -> None:
    answer_file(talk, PICTURE, "plan.png")
    outbox.deliver_due()
    (one,) = telegram.heard
    assert one["method"] == "sendPhoto"
    assert 'name="photo"; filename="plan.png"' in one["data"]["form"]
    assert 'name="chat_id"\r\n\r\n42\r\n' in one["data"]["form"]


def test_somebody_who_was_erased_gets_nothing_more(telegram: Provider, talk: Conversation) -> None:
    from conversations.models import Correspondent

    Correspondent.objects.all().delete()
    answer(talk, "Bonjour")
    outbox.deliver_due()
    row = OutboundMessage.objects.get()
    assert (row.status, row.reason) == (OutboundStatus.FAILED, outbound.NO_ADDRESS)
    assert telegram.heard == []
