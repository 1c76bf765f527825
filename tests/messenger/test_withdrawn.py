"""After consent is withdrawn, no entry point stores anything that a visitor sends (C62)."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.apps import apps
from django.test import Client
from django.utils import timezone

import messenger.asgi.messages
from accounts import identities
from accounts.models import Agent, Website
from config import wiring
from conversations.calls import verbs as calling
from conversations.calls.states import Side
from conversations.lifecycle import denormalized, verbs
from conversations.lifecycle.actors import agent as actor
from conversations.messages import sending
from conversations.mirroring import cobrowsing, looks
from conversations.models import (
    Author,
    Call,
    CloseReason,
    CobrowsingSession,
    Consent,
    Conversation,
    Survey,
    Visitor,
)
from core.events import bus
from core.realtime.channel_groups import desk_group
from messenger import urls
from messenger.consumers import MessengerConsumer
from messenger.website_texts import sha256_of, texts_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.conversations.messages.test_attachments import Caller, as_visitor, png
from tests.factories import AgentFactory, VisitorFactory, connect, on_desk
from tests.messenger.conftest import Browser
from tests.messenger.test_identity import signed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media")]
PAGE = "https://www.example.com"
TAB = uuid.UUID(int=1)


@pytest.fixture
def media(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def visitor(website: Website, browser: Browser) -> Visitor:
    browser.token = "a token"
    visitor: Visitor = VisitorFactory(website=website, token="a token", agrees=True)
    return visitor


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


@pytest.fixture
def talk(step: RuleStep, agent: Agent, visitor: Visitor) -> Conversation:
    """A conversation on a desk, with an answer that the visitor has not read."""
    one = on_desk(step, agent, visitor=visitor, at=NOW)
    sending.add(one.pk, author=Author.AGENT, body="Voilà", client_id=uuid.uuid4(), at=NOW)
    return one


@pytest.fixture
def asked(step: RuleStep, agent: Agent, visitor: Visitor) -> Conversation:
    """A closed conversation with an open survey."""
    one = on_desk(step, agent, visitor=visitor, at=NOW)
    one = verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actor(agent.user), at=NOW)
    Survey.objects.create(conversation=one, **denormalized.copied(one), offered_at=NOW)
    return one


@pytest.fixture
def question(website: Website, talk: Conversation, agent: Agent) -> CobrowsingSession:
    """The agent looks at the page, and has asked whether they may act on it."""
    website.mirrors_screen, website.cobrowsing = True, ["click"]
    website.save()
    Consent.objects.update(covers_mirroring=True)
    now = timezone.now()  # The visitor answers by the real clock.
    asked = cobrowsing.ask(looks.begin(talk.pk, agent=agent, at=now).pk, at=now)
    assert asked is not None
    return asked


@pytest.fixture
def ringing(website: Website, talk: Conversation, agent: Agent) -> Call:
    """The agent rings. The visitor's tab is known already, so that they could also resume."""
    website.calls = "video"
    website.save()
    connect(agent)
    call = calling.begin(
        talk.pk,
        by=Side.AGENT,
        agent_id=agent.pk,
        tab=uuid.UUID(int=2),
        with_video=False,
        is_there=True,
        at=timezone.now(),
    )
    call.visitor_tab = TAB
    call.save()
    return call


def withdraw_unheard(browser: Browser) -> None:
    """Withdraw consent while its reactions are lost, so that what was asked is still open."""
    bus.forget()
    try:
        assert browser.post("consent/", {"given": False}).status_code == 200
    finally:
        wiring.connect()


def stored() -> dict[str, list[Any]]:
    """Return everything that is stored, by table."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
    }


def report_purchase(website: Website, sent: dict[str, Any]) -> Any:
    return Client().post(
        f"/messenger/{website.key}/transactions/",
        data=json.dumps(sent),
        content_type="text/plain",
        headers={"Origin": PAGE},
    )


VIEW = {"url": PAGE, "title": "Lampe", "view": {"data": {"basket": "7"}, "url": PAGE}}
FREE = {
    *("consent/", "history/", "logout/", "copy/", "ticket/", "visitors/"),
    "conversations/…/mirror/stop/",
    "conversations/…/cobrowsing/stop/",
    "conversations/…/calls/…/end/",
    *("articles/read/", "articles/answered/"),
}
"""What the visitor may still decide, end or read, consent itself, and counts without a visitor."""


def test_no_endpoint_stores_anything_after_withdrawal(
    browser: Browser,
    website: Website,
    visitor: Visitor,
    talk: Conversation,
    asked: Conversation,
    question: CobrowsingSession,
    ringing: Call,
) -> None:
    secret = identities.rotate(website, at=timezone.now()).secret.reveal()
    withdraw_unheard(browser)
    # Otherwise there would be nothing to accept or to answer.
    assert CobrowsingSession.objects.filter(pk=question.pk, ended_at=None).exists()
    assert Call.objects.filter(pk=ringing.pk, status="ringing").exists()
    here, tab = f"conversations/{talk.public_id}", {"tab": str(TAB)}
    identity = signed(secret, at=timezone.now(), profile={"vip": True})
    sent: dict[str, tuple[Any, set[int]]] = {
        "identity/": ({"identity": identity, "language": "fr"}, {403}),
        "conversations/": ({"body": "?", "client_id": str(uuid.uuid4())}, {403}),
        f"conversations/{asked.public_id}/survey/": ({"csat": 5, "comment": "…"}, {403}),
        "articles/": ({"question": "?"}, {200}),
        "seen/": (VIEW, {204}),
        "email/": ({"address": "j@example.com"}, {403, 409}),
        f"{here}/calls/": (tab, {403}),
        f"{here}/calls/{ringing.public_id}/answer/": (tab, {403}),
        f"{here}/calls/{ringing.public_id}/resume/": (tab, {403}),
        f"{here}/cobrowsing/": ({"session": question.pk, "accepts": True}, {403}),
    }
    before = stored()
    for path, (body, statuses) in sent.items():
        answer = browser.post(path, body)
        assert answer.status_code in statuses, path
        assert stored() == before, path
    answer = report_purchase(
        website, {"id": "1", "amount": 5, "currency": "EUR", "visitor": str(visitor.public_id)}
    )
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (403, PAGE)
    assert stored() == before
    raw: Caller = as_visitor(talk, "a token")
    assert raw.say(None, "Bonjour").code == "consent"
    assert raw.upload(png()).status in {403, 404}
    read = json.dumps({"seq": 1}).encode()
    assert raw.ask("POST", "read/", read, **{"content-type": "application/json"}).status == 204
    assert stored() == before
    known = {*sent, *FREE, "transactions/"}
    assert every_endpoint() - {re.sub(r"[0-9a-f-]{36}", "…", path) for path in known} == set()


def test_calls_and_cobrowsing_can_still_be_ended_after_withdrawal(
    browser: Browser, talk: Conversation, question: CobrowsingSession, ringing: Call
) -> None:
    """Accepting is refused, but nobody is held in what they have not accepted."""
    here = f"conversations/{talk.public_id}"
    withdraw_unheard(browser)
    declined = browser.post(f"{here}/cobrowsing/", {"session": question.pk, "accepts": False})
    assert declined.status_code == 204
    assert browser.post(f"{here}/cobrowsing/stop/", {}).status_code == 204
    assert browser.post(f"{here}/calls/{ringing.public_id}/end/", {}).status_code == 200
    question.refresh_from_db()
    ringing.refresh_from_db()
    assert (question.end, ringing.end) == ("declined", "declined")


def test_an_accepted_session_can_be_stopped_after_withdrawal(
    browser: Browser, talk: Conversation, question: CobrowsingSession
) -> None:
    here = f"conversations/{talk.public_id}"
    accepted = browser.post(f"{here}/cobrowsing/", {"session": question.pk, "accepts": True})
    assert accepted.status_code == 204
    withdraw_unheard(browser)
    assert browser.post(f"{here}/cobrowsing/stop/", {}).status_code == 204
    question.refresh_from_db()
    assert question.end == "stopped"


def test_a_withdrawal_ends_the_look_and_what_the_agent_asked(
    browser: Browser, question: CobrowsingSession
) -> None:
    browser.post("consent/", {"given": False})
    question.refresh_from_db()
    assert (question.end, looks.how_ended(question.look_id)) == ("revoked", "revoked")


def every_endpoint() -> set[str]:
    """Return each address below a website's Messenger that accepts data, without read-only ones."""
    (inner,) = [one for one in urls.urlpatterns if str(one.pattern) == "messenger/<str:key>/"]
    paths = {re.sub(r"<uuid:\w+>", "…", str(one.pattern)) for one in inner.url_patterns}
    return paths - {"", "state/", "unsubscribe/<str:word>/"}


def test_the_endpoint_test_covers_every_raw_endpoint() -> None:
    assert "(?P<what>messages|read)|attachments/" in messenger.asgi.messages.PATH.pattern


def test_renewed_consent_allows_storing_again(
    browser: Browser, website: Website, visitor: Visitor, asked: Conversation
) -> None:
    browser.post("consent/", {"given": False})
    sha256 = sha256_of(texts_of(website, "fr")["consent"])
    browser.post("consent/", {"language": "fr", "consent": sha256})
    survey = f"conversations/{asked.public_id}/survey/"
    assert browser.post(survey, {"csat": 5}).status_code == 204
    sold = {"id": "1", "amount": 5, "currency": "EUR", "visitor": str(visitor.public_id)}
    assert report_purchase(website, sold).status_code == 204


def test_withdrawal_also_applies_to_a_new_browser_of_the_person(
    website: Website, visitor: Visitor, browser: Browser
) -> None:
    """The person is known; until there is consent again, a new browser stores nothing."""
    secret = identities.rotate(website, at=timezone.now()).secret.reveal()
    body = browser.post("identity/", {"identity": signed(secret, at=timezone.now())}).json()
    browser.token = body["token"] or browser.token
    browser.post("consent/", {"given": False})
    before = stored()
    other = Browser(website)
    answer = other.post("identity/", {"identity": signed(secret, at=timezone.now())})
    assert answer.json() == {"known": False, "token": None, "visitor": None}
    assert stored() == before


def test_typing_without_consent_is_not_forwarded(agent: Agent) -> None:
    async def main() -> Any:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(desk_group(agent.pk), channel)
        socket = MessengerConsumer()
        socket.only, socket.is_willing, socket.talks = None, True, {"c": (7, agent.pk)}
        await socket.frame({"type": "frame", "text": "{}", "is_willing": False})
        await socket.on_receive({"type": "typing", "conversation": "c", "on": False})
        await socket.frame({"type": "frame", "text": "{}", "is_willing": True})
        await socket.on_receive({"type": "typing", "conversation": "c", "on": True})
        return json.loads((await asyncio.wait_for(layer.receive(channel), 10))["text"])

    assert asyncio.run(main()) == {"type": "typing", "conversation": 7, "on": True}
