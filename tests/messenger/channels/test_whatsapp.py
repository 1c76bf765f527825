"""WhatsApp, against a stand-in of the Cloud API that fails in each way that Meta documents."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from PIL import Image

from conversations.inboxes import templates
from conversations.models import (
    Attachment,
    Author,
    Conversation,
    InboundMessage,
    Inbox,
    OutboundMessage,
    Visitor,
)
from core.events import outbox
from messenger.channels import connecting, outbound
from messenger.channels.whatsapp.connector import verify_token
from tests.clock import NOW
from tests.messenger.channels.stand_in import PICTURE, Provider
from tests.messenger.channels.whatsapp_server import ACCOUNT, NUMBER, TOKEN
from tests.messenger.channels.world import SECRET, a_step, an_agent, an_inbox, answer, answer_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]

PERSON = "33612345678"


def a_number() -> Inbox:
    step = a_step()
    an_agent(step)
    options = {"phone_number_id": NUMBER, "account_id": ACCOUNT}
    return an_inbox(step, kind="whatsapp", token=TOKEN, options=options)


def a_text(number: int, body: str, **more: Any) -> dict[str, Any]:
    sent_at = str(int(NOW.timestamp()) - 100 + number)
    message = {"from": PERSON, "id": f"wamid.in{number}", "timestamp": sent_at, "type": "text"}
    return message | {"text": {"body": body}} | more


def of_number(number: str = NUMBER, **value: Any) -> dict[str, Any]:
    """Return a delivery, as Meta's documents show one."""
    shown = {"display_phone_number": "15550783881", "phone_number_id": number}
    contacts = [{"profile": {"name": "Jeanne Moreau"}, "wa_id": PERSON}]
    whole = {"messaging_product": "whatsapp", "metadata": shown, "contacts": contacts} | value
    entry = {"id": ACCOUNT, "changes": [{"value": whole, "field": "messages"}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def a_status(seq: int, status: str, **more: Any) -> dict[str, Any]:
    row = OutboundMessage.objects.get(seq=seq)
    known = {"id": row.provider_id, "status": status, "timestamp": "1", "recipient_id": PERSON}
    return of_number(statuses=[known | more])


def deliver(inbox: Inbox, delivery: Any, *, secret: str = SECRET) -> int:
    body = delivery if isinstance(delivery, bytes) else json.dumps(delivery).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    how: dict[str, Any] = {"headers": {"X-Hub-Signature-256": signature}}
    door = f"/channels/{inbox.key}/"
    return Client().post(door, body, content_type="application/json", **how).status_code


def arrive(inbox: Inbox, *messages: dict[str, Any]) -> None:
    assert deliver(inbox, of_number(messages=list(messages))) == 200
    outbox.deliver_due()
    outbox.deliver_due()


@pytest.fixture
def talk(whatsapp: Provider) -> Conversation:
    arrive(a_number(), a_text(1, "Bonjour"))
    return Conversation.objects.get()


def states() -> list[str]:
    return list(OutboundMessage.objects.order_by("seq").values_list("status", flat=True))


def test_meta_is_told_the_door_and_its_check_is_answered(whatsapp: Provider) -> None:
    inbox = a_number()
    connecting.connect(inbox_id=inbox.pk)
    inbox.refresh_from_db()
    assert inbox.trouble == ""
    assert [one["method"] for one in whatsapp.heard] == ["subscribed_apps", "number"]
    hook = whatsapp.data_of("number")[0]["webhook_configuration"]
    assert hook["override_callback_uri"].endswith(f"/channels/{inbox.key}/")
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    client, door = Client(), f"/channels/{inbox.key}/"
    right = client.get(door, asked | {"hub.verify_token": hook["verify_token"]})
    assert (right.status_code, right.content) == (200, b"1158201444")
    assert right["Content-Type"].startswith("text/plain")
    assert client.get(door, asked | {"hub.verify_token": "wrong"}).status_code == 403
    assert client.get(door, asked).status_code == 403
    other = {"hub.mode": "unsubscribe", "hub.verify_token": hook["verify_token"]}
    assert client.get(door, other).status_code == 403


def test_the_check_of_one_inbox_is_not_that_of_another(whatsapp: Provider) -> None:
    inbox = a_number()
    other = Inbox.objects.create(
        website=inbox.website, kind="whatsapp", name="Other", rule=inbox.rule, created_at=NOW
    )
    assert verify_token(inbox) != verify_token(other)


def test_only_meta_may_deliver(whatsapp: Provider) -> None:
    inbox = a_number()
    delivery = of_number(messages=[a_text(1, "x")])
    assert deliver(inbox, delivery, secret="another") == 403
    assert Client().post(f"/channels/{inbox.key}/", "{}", content_type="a/b").status_code == 403
    inbox.secret = ""
    inbox.save()
    assert deliver(inbox, delivery, secret="") == 403
    assert not InboundMessage.objects.exists()


def test_a_text_begins_a_conversation_once_however_often_it_is_delivered(
    talk: Conversation,
) -> None:
    inbox = Inbox.objects.get()
    arrive(inbox, a_text(1, "Bonjour"))
    arrive(inbox, a_text(1, "Bonjour"), a_text(2, "Une question"))
    assert [one.body for one in talk.messages.order_by("seq")] == ["Bonjour", "Une question"]
    assert Visitor.objects.get().name == "Jeanne Moreau"
    assert Visitor.objects.get().correspondent.address == PERSON
    assert talk.channel == "messaging"


def test_what_comes_out_of_order_is_taken_in_the_order_in_which_it_was_sent(
    whatsapp: Provider,
) -> None:
    inbox = a_number()
    for number in (3, 1, 2):
        deliver(inbox, of_number(messages=[a_text(number, str(number))]))
    outbox.deliver_due()
    outbox.deliver_due()
    bodies = [one.body for one in Conversation.objects.get().messages.order_by("seq")]
    assert bodies == ["1", "2", "3"]


def test_what_other_numbers_of_the_same_app_got_is_left_out(whatsapp: Provider) -> None:
    inbox = a_number()
    assert deliver(inbox, of_number("999", messages=[a_text(1, "x")])) == 200
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"type": "button", "button": {"text": "Oui", "payload": "1"}}, "Oui"),
        (
            {
                "type": "interactive",
                "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "Mardi"}},
            },
            "Mardi",
        ),
        (
            {"type": "location", "location": {"latitude": 48.85, "longitude": 2.35, "name": "Ici"}},
            "Ici\nhttps://www.openstreetmap.org/search?query=48.85,2.35",
        ),
        (
            {
                "type": "contacts",
                "contacts": [{"name": {"formatted_name": "Paul"}, "phones": [{"phone": "+33 6"}]}],
            },
            "Paul +33 6",
        ),
        (
            {
                "type": "order",
                "order": {
                    "text": "Vite",
                    "product_items": [
                        {
                            "product_retailer_id": "T1",
                            "quantity": 2,
                            "item_price": 9.5,
                            "currency": "EUR",
                        }
                    ],
                },
            },
            "Vite\n2 × T1: 9.5 EUR",
        ),
    ],
)
def test_what_is_not_written_is_shown_in_words(
    whatsapp: Provider, message: dict[str, Any], text: str
) -> None:
    arrive(a_number(), a_text(1, "") | message)
    assert Conversation.objects.get().messages.get().body == text


def test_what_whatsapp_does_not_hand_out_is_named(whatsapp: Provider) -> None:
    arrive(a_number(), a_text(1, "", type="unsupported", errors=[{"code": 131051}]))
    assert "WhatsApp" in Conversation.objects.get().messages.get().body


def test_reactions_and_changed_numbers_begin_nothing(whatsapp: Provider) -> None:
    inbox = a_number()
    reaction = a_text(1, "", type="reaction", reaction={"emoji": "👍", "message_id": "wamid.1"})
    changed = a_text(2, "", type="system", system={"type": "user_changed_number"})
    arrive(inbox, reaction, changed)
    assert not InboundMessage.objects.exists()


def test_a_picture_comes_with_its_caption(whatsapp: Provider) -> None:
    inbox = a_number()
    image = {"id": "media-1", "mime_type": "image/png", "caption": "Cassée"}
    arrive(inbox, a_text(1, "", type="image", image=image))
    text, picture = Conversation.objects.get().messages.order_by("seq")
    assert text.body == "Cassée"
    assert picture.attachment is not None
    assert picture.attachment.content_type == "image/png"
    assert len(whatsapp.data_of("file")) == 1


def test_a_file_that_is_gone_is_named(whatsapp: Provider) -> None:
    document = {"id": "gone", "filename": "facture.pdf"}
    arrive(a_number(), a_text(1, "", type="document", document=document))
    assert "facture.pdf" in Conversation.objects.get().messages.get().body


@pytest.mark.parametrize(
    "delivery", [b"", b"[]", b"{}", b'{"entry": 5}', b'{"entry": [{"changes": [{}]}]}', b"\xff"]
)
def test_what_is_no_delivery_is_unreadable(whatsapp: Provider, delivery: bytes) -> None:
    assert deliver(a_number(), delivery) == 400


def test_an_answer_goes_to_the_number_and_its_ticks_come_back(
    whatsapp: Provider, talk: Conversation
) -> None:
    inbox = Inbox.objects.get()
    answer(talk, "Bonjour Jeanne")
    outbox.deliver_due()
    (sent,) = whatsapp.data_of("messages")
    assert (sent["to"], sent["text"]) == (PERSON, {"body": "Bonjour Jeanne"})
    for status, shown in (
        ("read", "read"),  # Statuses come in any order: this one first.
        ("sent", "read"),
        ("delivered", "read"),
        ("deleted", "read"),
    ):
        assert deliver(inbox, a_status(2, status)) == 200
        assert states() == [shown]
    talk.refresh_from_db()
    assert talk.visitor_read_seq == 2


def test_a_failure_that_is_reported_later_says_why(whatsapp: Provider, talk: Conversation) -> None:
    answer(talk, "Bonjour")
    outbox.deliver_due()
    errors = [{"code": 131047, "title": "Re-engagement message"}]
    deliver(Inbox.objects.get(), a_status(2, "failed", errors=errors))
    row = OutboundMessage.objects.get()
    assert row.status == "failed"
    assert row.reason.startswith("More than 24 hours")


def test_an_answer_whose_confirmation_was_lost_is_recognized_by_its_receipt(
    whatsapp: Provider, talk: Conversation, clock: time_machine.Traveller
) -> None:
    whatsapp.fail_next({"cut": True})
    answer(talk, "Bonjour")
    outbox.deliver_due()
    assert states() == ["owed"]
    (sent,) = whatsapp.data_of("messages")
    status = {"id": "wamid.9", "status": "delivered", "timestamp": "1"}
    status["biz_opaque_callback_data"] = sent["biz_opaque_callback_data"]
    deliver(Inbox.objects.get(), of_number(statuses=[status]))
    row = OutboundMessage.objects.get()
    assert (row.status, row.provider_id) == ("delivered", "wamid.9")
    clock.shift(timedelta(hours=1))
    outbound.send_due()
    assert len(whatsapp.data_of("messages")) == 1


@pytest.mark.parametrize("reference", ["", "1", "1/x", "x/y", f"0/{'0' * 32}"])
def test_a_receipt_about_nothing_of_ours_changes_nothing(
    whatsapp: Provider, talk: Conversation, reference: str
) -> None:
    whatsapp.fail_next({"cut": True})
    answer(talk, "Bonjour")
    outbox.deliver_due()
    status = {"id": "wamid.9", "status": "read", "biz_opaque_callback_data": reference}
    assert deliver(Inbox.objects.get(), of_number(statuses=[status])) == 200
    assert states() == ["owed"]


@pytest.mark.parametrize(
    ("choices", "kind"),
    [
        (["Oui", "Non"], "button"),
        (["Lundi", "Mardi", "Mercredi", "Jeudi"], "list"),
        (["Oui", "Une réponse bien trop longue pour une ligne"], None),
    ],
)
def test_choices_are_buttons_a_list_or_words(
    whatsapp: Provider, talk: Conversation, choices: list[str], kind: str | None
) -> None:
    Conversation.objects.update(language="fr")
    words = "Quand ?\n\n" + "\n".join(f"• {one}" for one in choices)
    answer(talk, words, offer={"text": "Quand ?", "choices": choices, "cards": []})
    outbox.deliver_due()
    (sent,) = whatsapp.data_of("messages")
    if kind is None:
        assert sent["text"]["body"] == words
        return
    shown = sent["interactive"]
    assert (shown["type"], shown["body"]["text"]) == (kind, "Quand ?")
    assert shown["action"].get("button", "Choisir") == "Choisir"
    assert all(one in json.dumps(shown["action"], ensure_ascii=False) for one in choices)


def test_files_are_uploaded_and_named(whatsapp: Provider, talk: Conversation) -> None:
    answer_file(talk, PICTURE, "photo.png")
    outbox.deliver_due()
    (upload,) = whatsapp.data_of("media")
    assert 'name="messaging_product"\r\n\r\nwhatsapp' in upload["form"]
    (sent,) = whatsapp.data_of("messages")
    assert sent["type"] == "image"
    assert sent["image"]["id"].startswith("uploaded-")


def test_a_file_that_whatsapp_does_not_take_is_not_sent(
    whatsapp: Provider, talk: Conversation
) -> None:
    moving = io.BytesIO()
    Image.new("RGB", (4, 4)).save(moving, "GIF")
    answer_file(talk, moving.getvalue(), "photo.gif")
    answer(talk, "Voici")
    outbox.deliver_due()
    assert states() == ["failed", "sent"]
    assert "kind" in OutboundMessage.objects.earliest("seq").reason
    assert whatsapp.data_of("media") == []


@pytest.mark.parametrize(
    ("failure", "wait"),
    [
        ({"code": 130429, "status": 429, "retry_after": 40}, 40),
        ({"code": 80007, "status": 400, "regain": 3}, 180),
        ({"code": 131056, "status": 400}, 2),
        ({"code": 131000, "status": 500}, 2),
        ({"status": 503}, 2),
        ({"status": 502, "retry_after": 30}, 30),
        ({"cut": True}, 2),
    ],
)
def test_what_may_pass_is_tried_again(
    whatsapp: Provider,
    talk: Conversation,
    clock: time_machine.Traveller,
    failure: dict[str, Any],
    wait: int,
) -> None:
    whatsapp.fail_next(failure)
    answer(talk, "un")
    answer(talk, "deux")
    outbox.deliver_due()
    assert states() == ["owed", "owed"]
    row = OutboundMessage.objects.earliest("seq")
    assert row.due_at == NOW + timedelta(seconds=wait)
    clock.move_to(row.due_at)
    outbound.send_due()
    assert states() == ["sent", "sent"]
    bodies = [one["text"]["body"] for one in whatsapp.data_of("messages")]
    assert bodies[-2:] == ["un", "deux"]


@pytest.mark.parametrize(
    "failure",
    [
        {"code": 190, "status": 401},
        {"code": 0, "status": 401},
        {"code": 10, "status": 403},
        {"code": 200, "status": 403},
        {"code": 131042, "status": 400},
        {"code": 133010, "status": 400},
    ],
)
def test_an_expired_token_is_shown_and_the_message_waits_for_a_new_one(
    whatsapp: Provider, talk: Conversation, clock: time_machine.Traveller, failure: dict[str, Any]
) -> None:
    whatsapp.fail_next(failure)
    answer(talk, "Bonjour")
    outbox.deliver_due()
    assert states() == ["owed"]
    assert Inbox.objects.get().trouble.startswith("WhatsApp does not accept the access token")
    clock.shift(timedelta(hours=1))
    outbound.send_due()
    assert states() == ["sent"]
    assert Inbox.objects.get().trouble == ""


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"code": 131047, "status": 400}, "More than 24 hours"),
        ({"code": 131026, "status": 400}, "WhatsApp cannot deliver to this number."),
        ({"code": 100, "status": 400, "details": "Bad parameter"}, "Bad parameter (100)"),
        ({"status": 404}, "HTTP 404"),
    ],
)
def test_what_will_never_work_says_why_and_lets_the_next_one_pass(
    whatsapp: Provider, talk: Conversation, failure: dict[str, Any], reason: str
) -> None:
    whatsapp.fail_next(failure)
    answer(talk, "un")
    answer(talk, "deux")
    outbox.deliver_due()
    assert states() == ["failed", "sent"]
    assert OutboundMessage.objects.earliest("seq").reason.startswith(reason)


def test_the_templates_that_can_be_sent_are_copied(whatsapp: Provider) -> None:
    inbox = a_number()
    connecting.connect(inbox_id=inbox.pk)
    inbox.refresh_from_db()
    ready, thanks = templates.of(inbox)
    assert (ready.key, ready.places) == ("pret/fr", ["1", "2"])
    assert thanks.text.startswith("Maison Céleste\n\nMerci")
    assert thanks.buttons == ("Oui",)
    assert connecting.refresh_templates() == 1


def test_a_copy_that_fails_keeps_the_former_one(whatsapp: Provider) -> None:
    inbox = a_number()
    connecting.connect(inbox_id=inbox.pk)
    Inbox.objects.update(token="expired")
    assert connecting.refresh_templates() == 0
    inbox.refresh_from_db()
    assert len(inbox.templates) == 2


def test_a_template_is_sent_with_its_values(whatsapp: Provider, talk: Conversation) -> None:
    filled = {"name": "pret", "language": "fr", "values": {"1": "Jeanne", "2": "A-7"}}
    text = "Bonjour Jeanne, votre commande A-7 est prête."
    offer = {"text": text, "choices": [], "cards": [], "template": filled}
    answer(talk, text, offer=offer)
    outbox.deliver_due()
    (sent,) = whatsapp.data_of("messages")
    assert sent["type"] == "template"
    assert sent["template"]["language"] == {"code": "fr"}
    (body,) = sent["template"]["components"]
    assert [one["text"] for one in body["parameters"]] == ["Jeanne", "A-7"]
    assert talk.messages.filter(author=Author.AGENT).get().body == text


def test_nothing_is_left_of_a_file_that_was_refused(whatsapp: Provider, talk: Conversation) -> None:
    arrive(Inbox.objects.get(), a_text(2, "", type="video", video={"id": "gone"}))
    assert not Attachment.objects.exists()
