"""Translations of messages by a real server: both ways, only where the two sides have no language
in common, and never in the way of a message."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import Agent
from conversations.facts import MessageTranslated
from conversations.language_models import translating, translations
from conversations.lifecycle import actors, verbs
from conversations.messages import reading, sending
from conversations.models import (
    Author,
    Conversation,
    LanguageModelCall,
    LanguageModelSettings,
    MessageTranslation,
    Profile,
)
from conversations.privacy import personal_data
from core.db import async_pool
from core.events import bus, outbox
from core.models import OutboxEntry
from routing.models import DeskPresence, RuleStep
from tests import language_models
from tests.clock import NOW
from tests.conversations.messages.test_sending import as_agent, as_visitor, log_in, one
from tests.factories import AgentFactory, on_desk, queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with language_models.running() as url:
        yield url


@pytest.fixture(autouse=True)
def may_be_private(settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    cache.clear()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice", languages="fr", slots=9)
    step.group.members.add(agent)
    return agent


@pytest.fixture
def talk(step: RuleStep, agent: Agent) -> Conversation:
    return on_desk(step, agent, language="en")


def choose(talk: Conversation, url: str, way: str = "good", **changes: Any) -> None:
    fields: dict[str, Any] = {"translates": True, "seconds": 3}
    LanguageModelSettings.objects.create(
        website=talk.website, base_url=f"{url}/{way}", model=way, **(fields | changes)
    )


def say(talk: Conversation, author: Author, body: str) -> int:
    sent = sending.add(talk.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)
    seq: int = sent.frame["seq"]
    return seq


def work() -> None:
    while outbox.deliver_due():
        pass


def rows() -> list[tuple[int, str, str, str]]:
    fields = ("seq", "language", "state", "text")
    return list(MessageTranslation.objects.order_by("seq", "language").values_list(*fields))


def owed() -> list[dict[str, Any]]:
    due = OutboxEntry.objects.filter(done_at=None, reaction__endswith="translating.translate")
    return list(due.order_by("pk").values_list("payload", flat=True))


def fetched(
    talk: Conversation, agent: Agent, after_seq: int = 0
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the Messenger and the desk fetch."""
    token = talk.visitor.token_hash

    async def read() -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            by_visitor = await reading.for_visitor(
                conversation=talk.public_id,
                token_hash=token,
                after_seq=after_seq,
                at=NOW,
                presence=DeskPresence,
            )
            by_agent = await reading.for_agent(
                conversation=talk.pk, after_seq=after_seq, agent=agent.pk
            )
            return by_visitor, by_agent
        finally:
            await async_pool.close()

    return asyncio.run(read())


def test_messages_are_translated_both_ways_and_stay_as_they_were_written(
    talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server)
    asked = say(talk, Author.VISITOR, "When does my lamp come?")
    replied = say(talk, Author.AGENT, "Demain, sans faute.")
    work()
    assert rows() == [
        (asked, "fr", "done", "As asked: When does my lamp come?"),
        (replied, "en", "done", "As asked: Demain, sans faute."),
    ]
    assert list(talk.messages.order_by("seq").values_list("body", flat=True)) == [
        "When does my lamp come?",
        "Demain, sans faute.",
    ]
    by_visitor, by_agent = fetched(talk, agent)
    expected = {
        "seq": replied,
        "language": "en",
        "text": "As asked: Demain, sans faute.",
        "state": "done",
    }
    assert expected in by_visitor["translations"]
    assert by_visitor["translations"] == by_agent["translations"]
    assert by_visitor["messages"][1]["body"] == "Demain, sans faute."
    calls = LanguageModelCall.objects.order_by("pk")
    assert [(call.purpose, call.outcome) for call in calls] == [("message", "done")] * 2
    prompts = [one["body"]["messages"][0]["content"] for one in language_models.sent_to(server)]
    assert ["into French" in prompts[-2], "into English" in prompts[-1]] == [True, True]


def test_a_message_of_the_hot_path_owes_its_translation_in_its_own_transaction(
    talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server)
    desk = log_in(agent)
    asked = one(as_visitor(talk, body="Hello?")).frame["seq"]
    replied = one(as_agent(talk, desk, body="Bonjour !")).frame["seq"]
    assert owed() == [{"conversation_id": talk.pk, "seq": seq} for seq in (asked, replied)]
    work()
    assert [seq for seq, *_rest in rows()] == [asked, replied]


def test_a_language_in_common_needs_no_translation(
    step: RuleStep, talk: Conversation, server: str
) -> None:
    choose(talk, server)
    both = AgentFactory(languages="fr, en")
    step.group.members.add(both)
    spoken = on_desk(step, both, language="en")
    say(spoken, Author.VISITOR, "Hello?")
    say(spoken, Author.AGENT, "Hello.")
    work()
    assert rows() == []
    assert not LanguageModelCall.objects.exists()


def test_without_the_websites_choice_nothing_is_owed_and_nothing_leaves(
    talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server, translates=False, helps_agents=True)
    say(talk, Author.VISITOR, "Hello?")
    one(as_visitor(talk, body="Hello?"))
    assert owed() == []
    translating.translate(conversation_id=talk.pk, seq=1)
    assert rows() == []
    assert not LanguageModelCall.objects.exists()


def test_the_page_of_a_visitor_tells_a_language_that_the_messenger_lacks(
    step: RuleStep, server: str
) -> None:
    agent = AgentFactory(languages="en")
    step.group.members.add(agent)
    talk = on_desk(step, agent, language="en")
    choose(talk, server)
    Profile.objects.create(visitor=talk.visitor, language="es-MX", said_at=NOW)
    say(talk, Author.VISITOR, "¿Hola?")
    say(talk, Author.AGENT, "Hello.")
    work()
    assert [(language, state) for _seq, language, state, _text in rows()] == [
        ("en", "done"),
        ("es", "done"),
    ]
    assert "into Spanish" in str(language_models.sent_to(server)[-1]["body"])


def test_an_agent_who_gets_a_conversation_reads_what_was_written_before(
    step: RuleStep, agent: Agent, server: str
) -> None:
    talk = queued(step, language="en")
    choose(talk, server)
    for n in range(translating.CAUGHT_UP + 2):
        say(talk, Author.VISITOR, f"Hello {n}")
    work()
    assert rows() == []  # Nobody reads it yet.
    verbs.push(talk.pk, agent=agent, at=NOW)
    work()
    assert [seq for seq, *_rest in rows()] == list(range(3, translating.CAUGHT_UP + 3))


def test_the_next_agent_reads_their_own_language(
    step: RuleStep, talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server)
    german, english = AgentFactory(languages="de"), AgentFactory(languages="en")
    say(talk, Author.VISITOR, "Hello?")
    work()
    for other in (german, english):
        step.group.members.add(other)
    verbs.transfer_to_agent(talk.pk, agent=german, actor=actors.agent(agent.user), at=NOW)
    work()
    assert [(seq, language) for seq, language, *_rest in rows()] == [(1, "de"), (1, "fr")]

    def read_by(reader: Agent) -> list[str]:
        known = translations.for_desk(talk.pk, after_seq=0, last_seq=1, agent_id=reader.pk)
        return [one["language"] for one in known]

    assert [read_by(one) for one in (agent, german, english)] == [["fr"], ["de"], []]


def test_personal_data_is_masked_and_put_back(talk: Conversation, server: str) -> None:
    choose(talk, server)
    body = "I am at ada@example.com or 06 12 34 56 78, see https://shop.example/orders/7."
    say(talk, Author.VISITOR, body)
    work()
    sent = str(language_models.sent_to(server)[-1]["body"])
    assert "ada@example.com" not in sent
    assert "06 12" not in sent
    assert rows() == [(1, "fr", "done", f"As asked: {body}")]


@pytest.mark.parametrize("way", ["adds_an_address", "drops_numbers", "unfinished", "fails", "slow"])
def test_what_is_no_translation_is_tried_again_and_then_said(
    talk: Conversation, agent: Agent, server: str, way: str
) -> None:
    choose(talk, server, way, seconds=1)
    seq = say(talk, Author.VISITOR, "Call me: 06 12 34 56 78")
    work()
    assert rows() == []
    payload = {"conversation_id": talk.pk, "seq": seq, "waited": 0}
    assert owed() == [payload | {"failed": 1}]
    for failed in range(1, translating.ATTEMPTS):
        cache.clear()
        translating.translate(**payload, failed=failed)
    assert rows() == [(seq, "fr", "failed", "")]
    by_visitor, by_agent = fetched(talk, agent)
    assert by_agent["translations"] == [
        {"seq": seq, "language": "fr", "text": "", "state": "failed"}
    ]
    assert by_visitor["translations"] == []  # That is no concern of the visitor's.


def test_a_text_that_is_already_in_the_readers_language_is_left_alone(
    talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server, "echoes")
    say(talk, Author.VISITOR, "Bonjour !")
    say(talk, Author.VISITOR, "12345 🙂")
    work()
    assert [state for _seq, _language, state, _text in rows()] == ["same", "same"]
    assert LanguageModelCall.objects.count() == 1  # Digits are the same everywhere.
    assert fetched(talk, agent)[1]["translations"] == []


def test_while_the_model_is_busy_a_translation_waits(talk: Conversation, server: str) -> None:
    choose(talk, server)
    cache.set("language-model:call:0", 1, 60)
    seq = say(talk, Author.VISITOR, "Hello?")
    work()
    assert owed() == [{"conversation_id": talk.pk, "seq": seq, "waited": 2, "failed": 0}]
    # Waiting for too long counts as a failure.
    translating.translate(conversation_id=talk.pk, seq=seq, waited=60)
    assert owed()[-1] == {"conversation_id": talk.pk, "seq": seq, "waited": 0, "failed": 1}


def test_a_spent_budget_and_a_server_left_alone_translate_nothing(
    talk: Conversation, server: str
) -> None:
    choose(talk, server, daily_tokens=100)
    say(talk, Author.VISITOR, "Hello?")
    work()
    assert rows() == []
    assert not LanguageModelCall.objects.exists()


def test_messages_do_not_wait_for_a_slow_server(
    talk: Conversation, agent: Agent, server: str
) -> None:
    """The statement that stores a message writes a debt, and calls nobody."""
    choose(talk, server, "slow")
    desk = log_in(agent)
    began = time.monotonic()
    for _n in range(5):
        one(as_visitor(talk))
        one(as_agent(talk, desk))
    assert time.monotonic() - began < language_models.SLOW_SECONDS
    assert not LanguageModelCall.objects.exists()
    assert len(owed()) == 10


def test_a_repeated_reaction_translates_once(talk: Conversation, server: str) -> None:
    choose(talk, server)
    seq = say(talk, Author.VISITOR, "Hello?")
    work()
    translating.translate(conversation_id=talk.pk, seq=seq)
    assert len(rows()) == LanguageModelCall.objects.count() == 1


def test_both_sides_hear_of_a_translation_and_only_the_desk_of_a_failure(
    talk: Conversation, agent: Agent, server: str
) -> None:
    heard: list[dict[str, Any]] = []

    async def hear(fact: MessageTranslated) -> None:
        heard.append(fact.translation | {"to": (fact.visitor_id, fact.agent_id)})

    bus.on(MessageTranslated, hear)
    choose(talk, server)
    seq = say(talk, Author.AGENT, "Bonjour !")
    work()
    assert heard == [
        {
            "seq": seq,
            "language": "en",
            "text": "As asked: Bonjour !",
            "state": "done",
            "to": (talk.visitor_id, agent.pk),
        }
    ]


def test_a_fetch_repeats_the_latest_translations(
    talk: Conversation, agent: Agent, server: str
) -> None:
    """A push may be lost, and the client has the message itself already."""
    choose(talk, server)
    for n in range(3):
        say(talk, Author.AGENT, f"Bonjour {n}")
    work()
    by_visitor, by_agent = fetched(talk, agent, after_seq=3)
    assert by_visitor["messages"] == by_agent["messages"] == []
    assert [one["seq"] for one in by_visitor["translations"]] == [1, 2, 3]
    assert [one["seq"] for one in by_agent["translations"]] == [1, 2, 3]


def test_hidden_messages_stay_hidden_in_translation(
    talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server)
    say(talk, Author.AGENT, "Bonjour !")
    work()
    talk.visitor.hidden_at = NOW
    talk.visitor.save()
    by_visitor, _by_agent = fetched(talk, agent)
    assert (by_visitor["messages"], by_visitor["translations"]) == ([], [])


def test_an_erasure_deletes_translations_and_calls(
    talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server)
    say(talk, Author.VISITOR, "Hello?")
    work()
    verbs.finish(talk.pk, actor=actors.agent(agent.user), at=NOW)
    personal_data.erase(personal_data.of_visitor(talk.visitor), by=None, at=NOW)
    assert rows() == []
    assert not LanguageModelCall.objects.exists()
