"""Hidden messages are in no mail, and hiding reaches all tabs and browsers (C13)."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives

from accounts.models import Agent
from conversations.facts import HistoryHidden
from conversations.messages import sending
from conversations.models import Author, Conversation, Person, Visitor
from conversations.visitors import persons
from core.events import bus
from core.realtime.channel_groups import visitor_group
from messenger import history_hiding
from messenger.mail import addresses, delivery, pending_mails
from messenger.mail.compose import Composed
from messenger.models import Mail, MailStatus
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, on_desk
from tests.messenger.mailing import VISITOR, MailServer, mail_server, text_of

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nobody_on_site() -> None:
    cache.clear()


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server(settings) as running:
        yield running


@pytest.fixture
def talk(step: RuleStep) -> Conversation:
    agent: Agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    conversation = on_desk(step, agent)
    say(conversation, Author.VISITOR, "Is it oak?", at=NOW)
    addresses.give(conversation.visitor, VISITOR, at=NOW)
    return conversation


def say(conversation: Conversation, author: Author, body: str, *, at: datetime) -> None:
    sending.add(conversation.pk, author=author, body=body, client_id=uuid.uuid4(), at=at)


def hide(talk: Conversation, *, at: datetime, hidden: bool = True) -> None:
    history_hiding.hide(Visitor.objects.get(pk=talk.visitor_id), hidden=hidden, at=at)


def test_a_hidden_answer_is_not_mailed(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is oak.", at=NOW)
    hide(talk, at=NOW + SECOND)
    assert pending_mails.look(at=NOW + MINUTE) == 0
    assert not Mail.objects.exists()


def test_an_answer_that_is_shown_again_is_mailed(talk: Conversation) -> None:
    say(talk, Author.AGENT, "It is oak.", at=NOW)
    hide(talk, at=NOW + SECOND)
    pending_mails.look(at=NOW + MINUTE)
    hide(talk, at=NOW + 2 * MINUTE, hidden=False)
    assert pending_mails.look(at=NOW + 3 * MINUTE) == 1


def test_hiding_cancels_a_pending_mail(talk: Conversation, server: MailServer) -> None:
    say(talk, Author.AGENT, "It is oak.", at=NOW)
    assert pending_mails.look(at=NOW + MINUTE) == 1
    hide(talk, at=NOW + MINUTE)
    assert delivery.send_due(at=NOW + MINUTE) == 0
    assert server.mails == []
    mail = Mail.objects.get()
    assert (mail.status, mail.reason) == (
        MailStatus.CANCELLED,
        "the visitor has hidden the messages meanwhile",
    )


def test_the_next_mail_quotes_only_later_messages(talk: Conversation, server: MailServer) -> None:
    say(talk, Author.AGENT, "It is oak.", at=NOW)
    hide(talk, at=NOW + SECOND)
    say(talk, Author.AGENT, "Anything else?", at=NOW + 2 * SECOND)
    assert pending_mails.look(at=NOW + 2 * MINUTE) == 1
    assert delivery.send_due(at=NOW + 2 * MINUTE) == 1
    words = text_of(server.mails[0]) + text_of(server.mails[0], "html")
    assert "Anything else?" in words
    assert "oak" not in words


def test_a_message_hidden_during_composition_is_not_quoted(
    talk: Conversation, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first message of the batch is hidden after the mail was composed with it."""
    say(talk, Author.AGENT, "It is oak.", at=NOW)
    say(talk, Author.AGENT, "Anything else?", at=NOW + 2 * SECOND)
    assert pending_mails.look(at=NOW + 2 * MINUTE) == 1
    composed, hidden_at = Composed.message, [NOW + SECOND]

    def interrupted(self: Composed) -> EmailMultiAlternatives:
        mail = composed(self)
        if hidden_at:
            hide(talk, at=hidden_at.pop())
        return mail

    monkeypatch.setattr(Composed, "message", interrupted)
    assert delivery.send_due(at=NOW + 2 * MINUTE) == 1
    words = text_of(server.mails[0]) + text_of(server.mails[0], "html")
    assert "Anything else?" in words
    assert "oak" not in words


def test_a_mail_hidden_entirely_during_composition_is_not_sent(
    talk: Conversation, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(talk, Author.AGENT, "It is oak.", at=NOW)
    assert pending_mails.look(at=NOW + MINUTE) == 1
    composed = Composed.message

    def interrupted(self: Composed) -> EmailMultiAlternatives:
        mail = composed(self)
        hide(talk, at=NOW + MINUTE)
        monkeypatch.setattr(Composed, "message", composed)
        return mail

    monkeypatch.setattr(Composed, "message", interrupted)
    assert delivery.send_due(at=NOW + MINUTE) == 0
    assert server.mails == []


async def test_hiding_is_sent_to_all_browsers_of_the_person() -> None:
    channels = get_channel_layer()
    here, there = await channels.new_channel(), await channels.new_channel()
    await channels.group_add(visitor_group(1), here)
    await channels.group_add(visitor_group(2), there)
    try:
        await bus.announce(HistoryHidden(visitor_ids=(1, 2), hidden_at=NOW.isoformat()))
        async with asyncio.timeout(5):
            frames = [json.loads((await channels.receive(one))["text"]) for one in (here, there)]
    finally:
        await channels.flush()
    assert frames == [{"type": "history", "hidden": NOW.isoformat()}] * 2


@pytest.mark.parametrize("hidden", [True, False])
def test_hiding_is_announced_after_the_commit(
    hidden: bool, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    facts: list[HistoryHidden] = []

    async def receive(fact: HistoryHidden) -> None:
        facts.append(fact)

    monkeypatch.setitem(bus._live, HistoryHidden, [receive])
    visitor = VisitorFactory()
    person = Person.objects.create(website=visitor.website, external_id="7", created_at=NOW)
    other = VisitorFactory(website=visitor.website)
    for browser in (visitor, other):
        persons.link(browser, person)
    with django_capture_on_commit_callbacks(execute=True):
        history_hiding.hide(visitor, hidden=hidden, at=NOW)
    (fact,) = facts
    assert set(fact.visitor_ids) == {visitor.pk, other.pk}
    assert fact.hidden_at == (NOW.isoformat() if hidden else None)
