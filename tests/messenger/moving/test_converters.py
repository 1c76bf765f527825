"""Answers of Chatwoot's and Zendesk's API, in the shapes of their public documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Agent
from conversations.models import (
    Address,
    Conversation,
    Event,
    Message,
    Note,
    Person,
    Survey,
)
from messenger.moving import saved_answers
from tests.factories import GroupFactory, WebsiteFactory
from tests.messenger.moving.histories import import_path, reasons, report_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture(autouse=True)
def website() -> None:
    website = WebsiteFactory(key="vases")
    GroupFactory(website=website, name="Support")
    saved_answers.saved_files.cache_clear()


def save(folder: Path, name: str, answer: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = answer if isinstance(answer, str) else json.dumps(answer)
    path.write_text(text)


CHATWOOT_CONTACT = {
    "id": 31,
    "name": "Mirabelle",
    "email": "mirabelle@example.com",
    "phone_number": "+33123456789",
    "identifier": None,
    "thumbnail": "",
    "availability_status": "offline",
    "custom_attributes": {"city": "Lyon"},
    "additional_attributes": {},
    "created_at": 2019800000,
    "last_activity_at": 2019806000,
}
CHATWOOT_CONVERSATION = {
    "id": 12,
    "uuid": "5a3f2c1e-0000-4000-8000-000000000012",
    "account_id": 1,
    "inbox_id": 3,
    "status": "resolved",
    "meta": {
        "sender": CHATWOOT_CONTACT,
        "channel": "Channel::WebWidget",
        "assignee": {"id": 5, "name": "Alice", "email": "alice@example.com"},
        "team": {"id": 2, "name": "Support"},
        "hmac_verified": False,
    },
    "messages": [],
    "labels": ["refund", "vip"],
    "additional_attributes": {"referer": "https://www.example.com/vases"},
    "custom_attributes": {"order": "A-7"},
    "priority": None,
    "created_at": 2019805200,
    "timestamp": 2019808800,
    "last_activity_at": 2019808800,
    "unread_count": 0,
}


def chatwoot_message(number: int, kind: int, content: str | None, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "content": content,
        "inbox_id": 3,
        "conversation_id": 12,
        "message_type": kind,
        "content_type": "text",
        "content_attributes": {},
        "status": "sent",
        "private": False,
        "created_at": 2019805200 + number,
        "source_id": None,
        **more,
    }


@pytest.fixture
def chatwoot(tmp_path: Path) -> Path:
    agent = {"id": 5, "type": "user", "name": "Alice"}
    save(tmp_path, "agents.json", [
        {"id": 5, "name": "Alice", "email": "alice@example.com", "role": "administrator",
         "availability_status": "online", "confirmed": True},
    ])  # fmt: skip
    save(tmp_path, "labels.json", {"payload": [{"id": 1, "title": "refund", "color": "#fff"}]})
    save(tmp_path, "contacts.json", {"meta": {"count": 1}, "payload": [CHATWOOT_CONTACT]})
    save(tmp_path, "conversations-1.json", {
        "data": {"meta": {"all_count": 2}, "payload": [CHATWOOT_CONVERSATION]}
    })  # fmt: skip
    second = {
        "id": 123,
        "status": "open",
        "meta": {"sender": {"id": 99, "name": "Not in the list"}, "channel": "Channel::Email"},
        "created_at": 2019805200,
    }
    save(tmp_path, "conversations-2.json", {"data": {"payload": [second]}})
    save(tmp_path, "messages/12.json", {"meta": {}, "payload": [
        chatwoot_message(1, 0, "Où est mon vase ?", sender={"id": 31, "type": "contact"}),
        chatwoot_message(2, 3, "Un agent arrive."),
        chatwoot_message(3, 2, "Alice was assigned"),
        chatwoot_message(4, 1, "Client pressé", private=True, sender=agent),
    ]})  # fmt: skip
    save(tmp_path, "messages/12-1.json", {"meta": {}, "payload": [
        chatwoot_message(5, 1, "Demain.", sender=agent, attachments=[
            {"id": 8, "message_id": 5, "file_type": "file", "account_id": 1, "extension": None,
             "data_url": "https://chat.example.com/blobs/facture.txt", "file_size": 9}]),
        chatwoot_message(6, 1, "Je suis un robot", sender={"id": 1, "type": "agent_bot"}),
        chatwoot_message(7, 0, None, attachments=[{"id": 9, "file_type": "image"}]),
    ]})  # fmt: skip
    # Another conversation's, whose number begins with the same digits.
    save(tmp_path, "messages/123.json", {"payload": [chatwoot_message(8, 0, "Bonjour")]})
    save(tmp_path, "csat_survey_responses.json", [
        {"id": 1, "rating": 4, "feedback_message": "Merci", "conversation_id": 12,
         "assigned_agent": {"id": 5}, "created_at": 2019809000},
    ])  # fmt: skip
    save(tmp_path, "files/8.txt", "Facture 7")
    return tmp_path


def test_chatwoots_conversations_are_imported(chatwoot: Path) -> None:
    said = import_path(chatwoot, "vases", "--from", "chatwoot", "--count")
    assert "conversation: 2 imported" in said
    first = Conversation.objects.get(imported_id="12")
    assert first.imported_from == "chatwoot"
    assert first.group is not None
    assert (first.group.name, str(first.agent), first.channel) == ("Support", "Alice", "chat")
    assert first.page_url == "https://www.example.com/vases"
    rows = list(first.messages.values_list("author", "agent__display_name", "body"))
    assert rows == [
        ("visitor", None, "Où est mon vase ?"),
        ("bot", None, "Un agent arrive."),
        ("system", None, "Alice was assigned"),
        ("agent", "Alice", "Demain."),
        ("bot", None, "Je suis un robot"),
        ("visitor", None, "[9]"),
    ]
    attachment = first.messages.get(body="Demain.").attachment
    assert attachment is not None
    assert (attachment.name, attachment.size) == ("facture.txt", 9)
    assert Note.objects.get().body == "Client pressé"
    person = Person.objects.get()
    assert person.external_id == "chatwoot:31"
    assert person.profile == {"phone": "+33123456789", "fields": {"city": "Lyon"}}
    assert Address.objects.get().email == "mirabelle@example.com"
    told = Event.objects.get(conversation=first).data
    assert told["tags"] == ["refund", "vip"]
    assert told["data"]["fields"] == {"order": "A-7"}
    survey = Survey.objects.get()
    assert (survey.csat, survey.comment, str(survey.agent)) == (4, "Merci", "Alice")
    second = Conversation.objects.get(imported_id="123")
    assert (second.channel, second.visitor.name) == ("messaging", "Not in the list")
    assert [one.body for one in second.messages.all()] == ["Bonjour"]
    assert reasons(chatwoot, "refused") == {"9": saved_answers.UNSAVED}
    assert reasons(chatwoot, "changed") == {"123": "it was open: imported as closed"}
    assert Agent.objects.get().user.role == "manager"


ZENDESK_TICKET = {
    "id": 35436,
    "url": "https://vases.zendesk.com/api/v2/tickets/35436.json",
    "external_id": None,
    "via": {"channel": "email", "source": {}},
    "created_at": "2034-01-02T09:00:00Z",
    "updated_at": "2034-01-02T12:00:00Z",
    "type": "incident",
    "subject": "Mon vase",
    "description": "Où est mon vase ?",
    "priority": "high",
    "status": "closed",
    "requester_id": 501,
    "submitter_id": 501,
    "assignee_id": 901,
    "group_id": 77,
    "tags": ["refund"],
    "custom_fields": [{"id": 27642, "value": "745"}, {"id": 27648, "value": None}],
    "satisfaction_rating": {"id": 1, "score": "good", "comment": "Parfait"},
}


def zendesk_comment(number: int, author: int, body: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "Comment",
        "author_id": author,
        "body": body,
        "html_body": f"<p>{body}</p>",
        "plain_body": body,
        "public": True,
        "attachments": [],
        "audit_id": 1,
        "created_at": f"2034-01-02T09:0{number}:00Z",
        "via": {"channel": "email"},
        **more,
    }


@pytest.fixture
def zendesk(tmp_path: Path) -> Path:
    save(tmp_path, "users.json", {"users": [
        {"id": 501, "name": "Mirabelle", "email": "mirabelle@example.com", "role": "end-user",
         "external_id": "C-1", "phone": None, "locale": "fr", "tags": ["vip"],
         "user_fields": {"city": "Lyon", "plan": None}, "created_at": "2033-05-01T08:00:00Z"},
        {"id": 901, "name": "Alice", "email": "alice@example.com", "role": "agent"},
        {"id": 902, "name": "Bruno", "email": "bruno@example.com", "role": "admin"},
    ], "next_page": None, "count": 3})  # fmt: skip
    save(tmp_path, "groups.json", {"groups": [{"id": 77, "name": "Support"}]})
    lines = [ZENDESK_TICKET, ZENDESK_TICKET | {"id": 2, "status": "pending", "requester_id": 777,
             "satisfaction_rating": {"score": "unoffered"}, "assignee_id": None}]  # fmt: skip
    save(tmp_path, "tickets.jsonl", "\n".join(map(json.dumps, lines)) + "\n{broken\n")
    save(tmp_path, "comments/35436.json", {"comments": [
        zendesk_comment(1, 501, "Où est mon vase ?", attachments=[
            {"id": 498, "file_name": "photo.txt", "content_url": "https://x", "size": 3,
             "content_type": "text/plain"}]),
        zendesk_comment(2, 902, "Client pressé", public=False),
        zendesk_comment(3, 901, "", plain_body=None, html_body="<div>Il arrive<br>demain</div>"),
        zendesk_comment(4, -1, "Ticket solved"),
    ], "users": [], "next_page": None})  # fmt: skip
    save(tmp_path, "files/498", "abc")
    return tmp_path


def test_zendesks_tickets_are_imported(zendesk: Path) -> None:
    said = import_path(zendesk, "vases", "--from", "zendesk")
    assert "conversation: 2 imported" in said
    first = Conversation.objects.get(imported_id="35436")
    assert (first.channel, first.close_reason, first.closed_by) == (
        "messaging",
        "resolved",
        "agent",
    )
    assert str(first.group) == str(first.website.groups.get())
    rows = list(first.messages.values_list("author", "agent__display_name", "body"))
    assert rows == [
        ("visitor", None, "Où est mon vase ?"),
        ("agent", "Alice", "Il arrive\ndemain"),
        ("system", None, "Ticket solved"),
    ]
    attachment = Message.objects.get(conversation=first, seq=1).attachment
    assert attachment is not None
    assert attachment.name == "photo.txt"
    assert (Note.objects.get().body, str(Note.objects.get().agent)) == ("Client pressé", "Bruno")
    person = Person.objects.get()
    assert person.external_id == "C-1"
    assert person.profile == {"tags": ["vip"], "fields": {"city": "Lyon"}}
    told = Event.objects.get(conversation=first).data
    assert told["data"] == {
        "subject": "Mon vase",
        "priority": "high",
        "kind": "incident",
        "fields": {"27642": "745"},
        "channel": "email",
    }
    assert told["ratings"][0]["csat"] == 5
    second = Conversation.objects.get(imported_id="2")
    assert [one.body for one in second.messages.all()] == ["Où est mon vase ?"]
    assert (
        reasons(zendesk, "changed")["2"] == "person 777 has no line before it: an unknown visitor"
    )
    assert [row["place"] for row in report_of(zendesk) if row["outcome"] == "refused"] == [
        "tickets.jsonl: 3"
    ]
    again = import_path(zendesk, "vases", "--from", "zendesk")
    assert "conversation: 0 imported, 2 here before" in again


@pytest.mark.parametrize("converter", ["chatwoot", "zendesk"])
@pytest.mark.parametrize("content", ["{broken", "[]", "7", '{"data": 3}', "[[1], null]", ""])
@pytest.mark.parametrize(
    "name",
    ["agents.json", "contacts.json", "conversations.json", "users.json", "tickets.json",
     "groups.json", "csat_survey_responses.json"],
)  # fmt: skip
def test_a_broken_page_is_reported_and_stops_nothing(
    converter: str, content: str, name: str, tmp_path: Path
) -> None:
    save(tmp_path, name, content)
    import_path(tmp_path, "vases", "--from", converter)
    assert not Conversation.objects.exists()


def test_a_broken_page_beside_the_conversations_is_reported(chatwoot: Path, zendesk: Path) -> None:
    for converter, name in (("chatwoot", "csat_survey_responses"), ("zendesk", "groups")):
        save(chatwoot, f"{name}.json", "{broken")
        import_path(chatwoot, "vases", "--from", converter)
        assert f"{name}.json" in [row["place"] for row in report_of(chatwoot)]
