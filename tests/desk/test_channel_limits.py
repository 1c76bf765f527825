"""The limits of a channel at the desk, the window of WhatsApp, and the templates after it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from accounts.models import Agent, User
from conversations.inboxes.templates import ApprovedTemplate
from conversations.models import Author, Conversation, InboundMessage, Inbox
from core.events import outbox
from desk import channel_limits
from tests.clock import NOW
from tests.factories import AgentFactory, on_desk
from tests.messenger.channels.test_whatsapp import a_text, deliver, of_number
from tests.messenger.channels.whatsapp_server import ACCOUNT, NUMBER
from tests.messenger.channels.world import a_step, an_agent, an_inbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]
READY = ApprovedTemplate("pret", "fr", "Bonjour {{1}}, votre commande est prête.")


@pytest.fixture
def talk() -> Conversation:
    """A conversation by WhatsApp on a desk, whose last message was sent 99 seconds ago."""
    step = a_step()
    an_agent(step)
    options = {"phone_number_id": NUMBER, "account_id": ACCOUNT}
    inbox = an_inbox(step, kind="whatsapp", options=options, templates=[READY.as_json()])
    deliver(inbox, of_number(messages=[a_text(1, "Bonjour")]))
    outbox.deliver_due()
    outbox.deliver_due()
    return Conversation.objects.get()


def agent_of(talk: Conversation) -> Agent:
    assert talk.agent is not None
    return talk.agent


def test_a_conversation_of_the_messenger_has_no_channel_limits(browser: Browser) -> None:
    step = a_step()
    mine = on_desk(step, an_agent(step))
    assert channel_limits.of(mine, at=NOW) is None
    page = browser(agent_of(mine).user).get(f"/desk/c/{mine.pk}/").content.decode()
    assert "data-channel " not in page
    assert "application/pdf,.docx" in page


def test_the_window_counts_from_when_the_person_wrote_and_not_from_when_it_was_taken(
    talk: Conversation,
) -> None:
    limits = channel_limits.of(talk, at=NOW)
    assert limits is not None
    assert limits.closes_at == NOW - timedelta(seconds=99) + timedelta(hours=24)
    assert not limits.is_closed
    later = channel_limits.of(talk, at=limits.closes_at)
    assert later is not None
    assert later.is_closed
    InboundMessage.objects.update(sent_at=NOW - timedelta(hours=30))
    now = channel_limits.of(talk, at=NOW)
    assert now is not None
    assert now.is_closed


def test_the_limits_are_shown_in_both_languages(talk: Conversation) -> None:
    limits = channel_limits.of(talk, at=NOW)
    assert limits is not None
    assert limits.kinds_of_files == [
        "JPEG, PNG: 5 MB",
        "TXT, PDF, Word, Excel, PowerPoint: 10 MB",
    ]
    with translation.override("fr"):
        assert limits.kinds_of_files[0] == "JPEG, PNG\xa0: 5\xa0Mo"


def test_a_website_without_files_offers_none(talk: Conversation) -> None:
    talk.website.takes_files = False
    limits = channel_limits.of(talk, at=NOW)
    assert limits is not None
    assert limits.kinds_of_files == ["no files"]


def test_an_inbox_of_a_kind_that_is_gone_still_shows(talk: Conversation, browser: Browser) -> None:
    Inbox.objects.update(kind="pigeon")
    page = browser(agent_of(talk).user).get(f"/desk/c/{talk.pk}/")
    assert "pigeon" in page.content.decode()


def test_the_composer_says_when_the_window_is_closed(
    talk: Conversation, browser: Browser, clock: time_machine.Traveller
) -> None:
    client = browser(agent_of(talk).user)
    page = client.get(f"/desk/c/{talk.pk}/").content.decode()
    assert 'data-when-closed role="status" hidden' in page
    assert 'accept="image/jpeg,image/png,text/plain' in page
    clock.shift(timedelta(hours=24))
    page = client.get(f"/desk/c/{talk.pk}/").content.decode()
    assert 'data-when-closed role="status">' in page
    assert f"/desk/c/{talk.pk}/templates/" in page


def test_a_template_is_chosen_filled_and_sent(talk: Conversation, browser: Browser) -> None:
    client, url = browser(agent_of(talk).user), f"/desk/c/{talk.pk}/templates/"
    assert "Bonjour {{1}}, votre commande" in client.get(url).content.decode()
    again = client.post(url, {"template": READY.key, "value-1": ""})
    assert again.status_code == 422
    assert "Fill in every place" in again.content.decode()
    sent = client.post(url, {"template": READY.key, "value-1": "Jeanne"})
    assert sent.status_code == 204
    assert json.loads(sent["HX-Trigger"]) == {"desk:sent": {"number": talk.pk}}
    message = talk.messages.get(author=Author.AGENT)
    assert message.body == "Bonjour Jeanne, votre commande est prête."
    assert message.offer is not None
    assert message.offer["template"]["values"] == {"1": "Jeanne"}


def test_only_the_agent_who_holds_the_conversation_sends_templates(
    talk: Conversation, browser: Browser
) -> None:
    url = f"/desk/c/{talk.pk}/templates/"
    stranger, colleague = AgentFactory(), AgentFactory()
    assert talk.group is not None
    talk.group.members.add(colleague)
    assert browser(stranger.user).get(url).status_code == 404
    form = {"template": READY.key, "value-1": "Jeanne"}
    refused = browser(colleague.user).post(url, form)
    assert refused.status_code == 422
    assert "no longer on your desk" in refused.content.decode()
    assert not talk.messages.filter(author=Author.AGENT).exists()


def test_somebody_who_withdrew_consent_gets_no_template(
    talk: Conversation, browser: Browser
) -> None:
    talk.visitor.withdrawn_at = NOW
    talk.visitor.save()
    form = {"template": READY.key, "value-1": "Jeanne"}
    assert (
        browser(agent_of(talk).user).post(f"/desk/c/{talk.pk}/templates/", form).status_code == 422
    )
    assert not talk.messages.filter(author=Author.AGENT).exists()


def test_programs_list_and_send_templates(talk: Conversation, browser: Browser) -> None:
    client, base = browser(agent_of(talk).user), f"/api/v1/conversations/{talk.pk}/"
    (one,) = client.get(f"{base}templates/").json()
    assert (one["name"], one["places"]) == ("pret", ["1"])
    use: dict[str, Any] = {"name": "pret", "language": "fr", "values": {"1": "Jeanne"}}
    body = {"id": str(uuid.uuid4()), "template": use}
    how: dict[str, Any] = {"content_type": "application/json"}
    assert client.post(f"{base}messages/", body, **how).status_code == 201
    assert client.post(f"{base}messages/", body, **how).status_code == 200
    assert talk.messages.filter(author=Author.AGENT).count() == 1
    use["language"] = "de"
    body["id"] = str(uuid.uuid4())
    assert client.post(f"{base}messages/", body, **how).status_code == 409
