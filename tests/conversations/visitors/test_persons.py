"""Checks of a token in the message path: person, consent, hidden history."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime
from typing import Any

import pytest

from accounts.models import Agent, Website
from conversations.facts import BrowserLinked
from conversations.messages import attachments, reading
from conversations.models import Consent, ConsentKind, Conversation, Person, Visitor
from conversations.visitors import persons
from core.db import async_pool
from core.events import bus
from routing.models import DeskPresence, RuleStep
from tests.clock import NOW
from tests.conversations.messages.test_sending import as_agent, as_visitor, log_in, one, refusal
from tests.factories import VisitorFactory, on_desk

pytestmark = pytest.mark.django_db(transaction=True)


def read(conversation: Conversation, token_hash: str) -> dict[str, Any]:
    async def main() -> dict[str, Any]:
        try:
            return await reading.for_visitor(
                conversation=conversation.public_id,
                token_hash=token_hash,
                after_seq=0,
                at=NOW,
                presence=DeskPresence,
            )
        finally:
            await async_pool.close()

    return asyncio.run(main())


def send(conversation: Conversation, body: str, at: datetime) -> None:
    one(as_visitor(conversation, body=body, client_id=uuid.uuid4(), at=at))


def test_only_browsers_of_the_same_person_share_a_conversation(
    step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    mine = conversation.visitor
    other: Visitor = VisitorFactory(website=mine.website)
    assert refusal(as_visitor(conversation, token_hash=other.token_hash)) == ("not_found", 404)
    person = Person.objects.create(website=mine.website, external_id="C-1", created_at=NOW)
    for visitor in (mine, other):
        persons.link(visitor, person)
    assert one(as_visitor(conversation, token_hash=other.token_hash)).frame["seq"] == 1
    assert len(read(conversation, other.token_hash)["messages"]) == 1
    stranger: Visitor = VisitorFactory(website=mine.website)
    assert refusal(as_visitor(conversation, token_hash=stranger.token_hash)) == ("not_found", 404)


def test_messages_are_refused_after_consent_is_withdrawn(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    desk = log_in(agent)
    withdrawn = Consent(kind=ConsentKind.WITHDRAWN, language="fr", given_at=NOW)
    persons.record(conversation.visitor, withdrawn)
    assert refusal(as_visitor(conversation)) == ("consent", 403)
    assert refusal(as_agent(conversation, desk)) == ("consent", 403)
    conversation.refresh_from_db()
    assert conversation.last_seq == 0
    persons.record(conversation.visitor, Consent(language="fr", given_at=NOW))
    assert one(as_agent(conversation, desk)).frame["seq"] == 1


def test_only_messages_after_hiding_are_shown(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    visitor = conversation.visitor
    send(conversation, "before", NOW)
    persons.hide(visitor, at=NOW)
    answer = read(conversation, visitor.token_hash)
    assert (answer["messages"], answer["conversation"]["hidden_seq"]) == ([], 1)
    send(conversation, "after", NOW.replace(year=NOW.year + 1))
    shown = read(conversation, visitor.token_hash)["messages"]
    assert [(message["seq"], message["body"]) for message in shown] == [(2, "after")]
    persons.hide(visitor, at=None)
    assert len(read(conversation, visitor.token_hash)["messages"]) == 2


def test_website_without_files_refuses_uploads_from_both_sides(
    step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    desk = log_in(agent)
    Website.objects.update(takes_files=False)
    token_hash = conversation.visitor.token_hash
    for asking in (
        attachments.may_upload_as_visitor(
            conversation=conversation.public_id, token_hash=token_hash, at=NOW
        ),
        attachments.may_upload_as_agent(conversation=conversation.pk, desk=desk, at=NOW),
    ):
        assert refusal(asking) == ("refused", 409)  # type: ignore[arg-type]


def test_other_browsers_are_notified_when_one_is_linked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[BrowserLinked] = []

    async def hear(fact: BrowserLinked) -> None:
        heard.append(fact)

    monkeypatch.setitem(bus._live, BrowserLinked, [hear])
    first, second = VisitorFactory(), VisitorFactory()
    person = Person.objects.create(website=first.website, external_id="7", created_at=NOW)
    persons.link(first, person)
    assert heard == []
    persons.link(second, person)
    assert heard == [BrowserLinked(visitor_ids=(first.pk,))]
