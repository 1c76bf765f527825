"""A conversation begins with a file, or as one (C76): uploaded before it, by its visitor alone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import messenger.asgi.messages
from accounts.models import Website
from conversations.messages import attachments
from conversations.models import Attachment, Conversation, Message, Visitor
from messenger.website_texts import consent_of, sha256_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.conversations.messages.test_attachments import Caller, png
from tests.messenger.conftest import Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("step")]


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def create_visitor(website: Website) -> tuple[Browser, Caller]:
    """Create a visitor who has agreed and written nothing: at the views, and at the raw
    endpoints."""
    browser = Browser(website)
    agreed = {"language": "en", "consent": sha256_of(consent_of(website, "en"))}
    browser.token = browser.post("visitors/", agreed).json()["token"]
    headers = {"authorization": f"Bearer {browser.token}"}
    return browser, Caller(f"/messenger/{website.key}/", messenger.asgi.messages, headers)


def begin(browser: Browser, **sent: Any) -> Any:
    return browser.post("conversations/", {"client_id": str(uuid.uuid4()), "page_url": "", **sent})


def test_a_file_alone_begins_a_conversation(website: Website) -> None:
    browser, api = create_visitor(website)
    attachment = api.upload(png(), "lampe.png").json["attachment"]
    answer = begin(browser, body="", attachment=attachment["id"])
    assert answer.status_code == 201
    assert answer.json()["message"]["attachment"] == attachment
    conversation = Conversation.objects.get()
    assert Message.objects.get().attachment.conversation == conversation
    # By both addresses: the earlier one, which the page has, and that of the conversation.
    whole = f"conversations/{conversation.public_id}/attachments/{attachment['id']}/"
    for path in (f"attachments/{attachment['id']}/", whole):
        assert api.ask("GET", path).status == 200


def test_several_files_can_follow_the_first_message(website: Website) -> None:
    browser, api = create_visitor(website)
    ids = [api.upload(png(40)).json["attachment"]["id"] for _ in range(2)]
    talk = begin(browser, body="Like this").json()["conversation"]["id"]
    api.base += f"conversations/{talk}/"
    assert [api.say(one).status for one in ids] == [201, 201]


def test_a_repeated_upload_is_stored_once(website: Website) -> None:
    browser, api = create_visitor(website)
    attachment_id = api.upload(png(40)).json["attachment"]["id"]
    sent = {"client_id": str(uuid.uuid4()), "body": "", "attachment": attachment_id}
    seqs = [browser.post("conversations/", sent).json()["message"]["seq"] for _ in range(2)]
    assert seqs == [1, 1]
    assert api.upload(png(40), id=attachment_id).status == 200


def test_the_file_of_another_visitor_begins_no_conversation(website: Website) -> None:
    attachment_id = create_visitor(website)[1].upload(png(40)).json["attachment"]["id"]
    browser, api = create_visitor(website)
    answer = begin(browser, body="", attachment=attachment_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "attachment")
    assert not Conversation.objects.exists()
    assert api.ask("GET", f"attachments/{attachment_id}/").status == 404
    assert api.upload(png(41), id=attachment_id).status == 409


@pytest.mark.parametrize("why", ["unknown", "withdrawn", "off", "elsewhere"])
def test_visitors_who_may_not_write_cannot_upload(website: Website, why: str) -> None:
    _browser, api = create_visitor(website)
    if why == "unknown":
        api.headers["authorization"] = "Bearer nobody"
    if why == "withdrawn":
        Visitor.objects.update(withdrawn_at=NOW)
    if why == "off":
        Website.objects.update(takes_files=False)
    if why == "elsewhere":
        api.base = "/messenger/other/"
    assert api.upload(png(40)).status == (409 if why == "off" else 404)
    assert not Attachment.objects.exists()


def test_unsent_files_are_deleted(website: Website, media: Path) -> None:
    _browser, api = create_visitor(website)
    api.upload(png(40))
    created_at = Attachment.objects.get().created_at
    assert attachments.forget_unsent(at=created_at + timedelta(days=2)) == 1
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_unsent_files_are_erased_with_their_visitor(website: Website, step: RuleStep) -> None:
    _browser, api = create_visitor(website)
    api.upload(png(40))
    Visitor.objects.all().delete()
    assert not Attachment.objects.exists()


def test_an_empty_message_without_a_file_is_refused(website: Website) -> None:
    browser, _api = create_visitor(website)
    assert begin(browser, body="").status_code == 400
