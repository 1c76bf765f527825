"""Telegram's updates, and who may deliver them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from conversations.models import InboundMessage, Inbox
from messenger.channels.connector import Incoming, Request, Unreadable
from messenger.channels.telegram import Telegram, _button_data
from tests.clock import NOW
from tests.messenger.channels.world import SECRET, a_step, an_inbox, deliver, telegram_text


def parse(update: Any) -> list[Incoming]:
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    return list(Telegram().parse(Inbox(), Request("POST", {}, {}, body)))


def test_a_text_has_its_sender_language_and_moment() -> None:
    (one,) = parse(telegram_text(60, "Bonjour"))
    assert (one.provider_id, one.address, one.text) == ("1060", "77", "Bonjour")
    assert (one.name, one.language, one.sent_at) == ("Jeanne Moreau", "fr", NOW.isoformat())


def test_what_is_said_in_groups_and_by_bots_is_nobodys_message() -> None:
    update = telegram_text(1, "x")
    update["message"]["chat"]["type"] = "group"
    assert parse(update) == []
    assert parse(telegram_text(1, "x", **{"from": {"id": 1, "is_bot": True}})) == []
    assert parse({"update_id": 5, "my_chat_member": {}}) == []


def test_telegrams_own_first_line_begins_no_conversation() -> None:
    assert parse(telegram_text(1, "/start")) == []
    assert parse(telegram_text(1, "/start abc")) == []
    assert parse(telegram_text(1, "/starting"))[0].text == "/starting"


def test_places_contacts_and_edited_texts_are_words() -> None:
    (place,) = parse(telegram_text(1, "", location={"latitude": 48.85, "longitude": 2.35}))
    assert place.text == "https://www.openstreetmap.org/search?query=48.85,2.35"
    contact = {"first_name": "Paul", "phone_number": "+33 6"}
    assert parse(telegram_text(1, "", contact=contact))[0].text == "Paul +33 6"
    update = telegram_text(1, "corrigé")
    update["edited_message"] = update.pop("message")
    assert parse(update)[0].text == "✏️ corrigé"


@pytest.mark.parametrize("kind", ["document", "video", "audio", "voice", "video_note", "sticker"])
def test_each_kind_of_file_is_taken(kind: str) -> None:
    (one,) = parse(telegram_text(1, "", **{kind: {"file_id": "abc"}}))
    assert one.files[0].reference == "abc"
    assert one.files[0].name.startswith(kind)


@pytest.mark.parametrize(
    "update",
    [
        b"",
        b"[]",
        b"{}",
        b'{"update_id": "x"}',
        b'{"update_id": 1, "message": {"chat": {"type": "private"}, "text": "a"}}',
        b'{"update_id": 1, "message": 5}',
        b'{"update_id": 1, "message": {"chat": 5}}',
        b'{"update_id": 1, "callback_query": {"message": {"chat": {"type": "private"}}}}',
        b"\xff",
    ],
)
def test_what_is_no_update_is_unreadable(update: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(update)


def test_the_data_of_a_button_fit_whatever_the_choice_is() -> None:
    assert len(_button_data(3, "é" * 80).encode()) <= 64
    assert _button_data(0, "Oui") == "0:Oui"


@pytest.mark.django_db
def test_a_request_without_the_secret_is_refused_and_stores_nothing() -> None:
    inbox = an_inbox(a_step())
    assert deliver(inbox, telegram_text(1, "x"), secret="wrong") == 403
    assert deliver(inbox, telegram_text(1, "x"), secret="") == 403
    inbox.secret = ""
    inbox.save()
    assert deliver(inbox, telegram_text(1, "x"), secret="") == 403
    assert not InboundMessage.objects.exists()


@pytest.mark.django_db
def test_the_door_answers_for_its_own_inbox_only() -> None:
    inbox = an_inbox(a_step())
    client, headers = Client(), {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    door = f"/channels/{inbox.key}/"
    how: dict[str, Any] = {"content_type": "application/json", "headers": headers}
    assert client.post("/channels/unknown/", "{}", **how).status_code == 404
    assert client.post(door, "nonsense", **how).status_code == 400
    assert client.post(door, "x" * 1_100_000, **how).status_code in {400, 413}
    assert client.get(door).status_code == 403
    assert client.put(door).status_code == 405
