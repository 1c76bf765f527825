"""Texts that agents ask a language model for, with a real server: written on request only, never
sent by themselves, and what became of them is recorded."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Agent
from conversations import tasks
from conversations.language_models import summaries, writing
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import (
    Author,
    Conversation,
    ConversationSummary,
    LanguageModelCall,
    LanguageModelSettings,
    WritingAid,
    WritingState,
)
from conversations.privacy import personal_data
from core.events import outbox
from core.models import OutboxEntry
from routing.models import RuleStep
from tests import language_models
from tests.clock import NOW
from tests.factories import AgentFactory, ArticleFactory, StepFactory, on_desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]

BODY = "Refunds arrive within five days after the return."


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with language_models.running() as url:
        yield url


@pytest.fixture(autouse=True)
def may_be_private(settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    cache.clear()


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice", slots=9)
    step.group.members.add(agent)
    return agent


@pytest.fixture
def talk(step: RuleStep, agent: Agent) -> Conversation:
    talk = on_desk(step, agent, language="en")
    ArticleFactory(website=step.rule.website, language="en", name="Refunds", body=BODY)
    say(talk, Author.VISITOR, "When do refunds arrive?")
    return talk


@pytest.fixture
def client(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent.user)
    return client


def say(talk: Conversation, author: Author, body: str) -> None:
    sending.add(talk.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)


def choose(talk: Conversation, url: str, way: str = "good", **changes: Any) -> None:
    fields: dict[str, Any] = {"helps_agents": True, "summarises": True, "seconds": 3}
    LanguageModelSettings.objects.create(
        website=talk.website, base_url=f"{url}/{way}", model=way, **(fields | changes)
    )


def ask(client: Client, talk: Conversation, kind: str, text: str = "") -> Any:
    return client.post(f"/desk/c/{talk.pk}/writing/", {"kind": kind, "text": text})


def work() -> None:
    while outbox.deliver_due():
        pass


def written(client: Client, talk: Conversation, kind: str, text: str = "") -> dict[str, Any]:
    pk = ask(client, talk, kind, text).json()["id"]
    work()
    answer: dict[str, Any] = client.get(f"/desk/c/{talk.pk}/writing/{pk}/").json()
    return answer | {"id": pk}


def test_a_draft_comes_from_articles_and_names_them(
    client: Client, talk: Conversation, server: str
) -> None:
    choose(talk, server)
    messages = talk.messages.count()
    answer = written(client, talk, "draft")
    assert answer["text"] == "Refunds arrive within five days after the return."
    assert [source["title"] for source in answer["sources"]] == ["Refunds"]
    assert answer["sources"][0]["url"].startswith(f"/help/{talk.website.key}/")
    assert talk.messages.count() == messages  # The agent sends, nobody else.


@pytest.mark.parametrize("way", ["made_up_citation", "made_up_figure", "injected", "cut", "fails"])
def test_a_draft_that_is_not_proven_is_not_shown(
    client: Client, talk: Conversation, server: str, way: str
) -> None:
    choose(talk, server, way)
    answer = written(client, talk, "draft")
    assert (answer["state"], answer["text"]) == ("failed", "")


def test_without_a_fitting_article_nothing_leaves(
    client: Client, talk: Conversation, server: str
) -> None:
    choose(talk, server)
    say(talk, Author.AGENT, "One moment")
    say(talk, Author.VISITOR, "Do you sell elephants?")
    assert written(client, talk, "draft")["state"] == "failed"
    assert not LanguageModelCall.objects.exists()


@pytest.mark.parametrize("kind", ["shorter", "friendlier", "formal", "translate"])
def test_the_agents_own_text_is_reworded_with_personal_data_masked(
    client: Client, talk: Conversation, server: str, kind: str
) -> None:
    choose(talk, server)
    answer = written(client, talk, kind, "We wrote to ada@example.com.")
    assert answer["text"] == "As asked: We wrote to ada@example.com."
    sent = str(language_models.sent_to(server)[-1]["body"])
    assert "[EMAIL_1]" in sent
    assert "ada@example.com" not in sent
    assert WritingAid.objects.get().given == ""


def test_a_rewording_with_a_new_address_is_not_shown(
    client: Client, talk: Conversation, server: str
) -> None:
    choose(talk, server, "adds_an_address")
    assert written(client, talk, "shorter", "We deliver tomorrow.")["state"] == "failed"


@pytest.mark.parametrize(
    ("kind", "text", "status"),
    [("draft", "", 201), ("shorter", "", 409), ("shorter", " ", 409), ("poem", "x", 400)],
)
def test_only_what_exists_can_be_asked_for(
    client: Client, talk: Conversation, server: str, kind: str, text: str, status: int
) -> None:
    choose(talk, server)
    assert ask(client, talk, kind, text).status_code == status


def test_nothing_is_written_where_the_website_has_not_agreed(
    client: Client, talk: Conversation, server: str
) -> None:
    choose(talk, server, helps_agents=False, summarises=False)
    assert ask(client, talk, "draft").status_code == 409
    assert not summaries.make(talk.pk, at=NOW)
    page = client.get(f"/desk/c/{talk.pk}/", headers={"HX-Request": "true"})
    assert "data-writing" not in page.content.decode()
    LanguageModelSettings.objects.update(helps_agents=True)
    page = client.get(f"/desk/c/{talk.pk}/", headers={"HX-Request": "true"})
    assert "data-writing-toggle" in page.content.decode()


def test_strangers_get_nothing(client: Client, talk: Conversation, server: str) -> None:
    choose(talk, server)
    pk = written(client, talk, "draft")["id"]
    colleague = AgentFactory(slots=9)
    talk.group.members.add(colleague)
    other = Client()
    other.force_login(colleague.user)
    assert ask(other, talk, "draft").status_code == 409  # It is not on their desk.
    assert other.get(f"/desk/c/{talk.pk}/writing/{pk}/").status_code == 404
    decide = f"/desk/c/{talk.pk}/writing/{pk}/decided/"
    assert other.post(decide, {"state": "used"}).status_code == 404
    stranger = Client()
    stranger.force_login(AgentFactory().user)
    assert ask(stranger, talk, "draft").status_code == 404


def test_what_became_of_a_text_is_recorded_once(
    client: Client, talk: Conversation, server: str
) -> None:
    choose(talk, server)
    pk = written(client, talk, "draft")["id"]
    decide = f"/desk/c/{talk.pk}/writing/{pk}/decided/"
    assert client.post(decide, {"state": "ready"}).status_code == 400
    assert client.post(decide, {"state": "edited"}).status_code == 204
    assert client.post(decide, {"state": "used"}).status_code == 204
    aid = WritingAid.objects.get()
    assert (aid.state, aid.decided_at) == (WritingState.EDITED, NOW)


def test_a_text_is_written_once_and_waits_while_the_model_is_busy(
    client: Client, talk: Conversation, server: str
) -> None:
    choose(talk, server)
    cache.set("language-model:call:0", 1, 60)
    pk = ask(client, talk, "draft").json()["id"]
    work()
    owed = OutboxEntry.objects.get(done_at=None, reaction__endswith="writing.write")
    assert owed.payload == {"aid_id": pk, "waited": 1}
    writing.write(aid_id=pk, waited=writing.BUSY_SECONDS)
    writing.write(aid_id=pk)
    assert WritingAid.objects.get().state == WritingState.FAILED
    assert not LanguageModelCall.objects.exists()


def test_who_takes_over_reads_five_lines_marked_as_made_by_a_machine(
    client: Client, talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server)
    for n in range(3):
        say(talk, Author.AGENT, f"Answer {n}")
    assert summaries.make(talk.pk, at=NOW)
    assert not summaries.make(talk.pk, at=NOW)  # There is nothing new to summarise.
    summary = ConversationSummary.objects.get()
    assert summary.text == "Fact 1\nFact 2\nFact 3\nFact 4\nFact 5"
    page = client.get(f"/desk/c/{talk.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "Fact 5" in page
    assert "par une machine" in page or "by a machine" in page


def test_short_conversations_need_no_summary(talk: Conversation, server: str) -> None:
    choose(talk, server)
    assert not summaries.make(talk.pk, at=NOW)
    assert not LanguageModelCall.objects.exists()


@pytest.mark.parametrize("is_on", [True, False])
def test_a_transfer_has_the_conversation_summarised_where_the_website_wants_it(
    talk: Conversation, agent: Agent, server: str, monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    """Elsewhere not even a task is started."""
    choose(talk, server, summarises=is_on)
    asked: list[Any] = []
    monkeypatch.setattr(tasks.summarise, "apply_async", lambda args, **how: asked.append(args))
    other = StepFactory(rule=talk.queue.rule)
    verbs.transfer_to_group(
        talk.pk,
        group=other.group,
        queue_id=other.pk,
        actor=actors.agent(agent.user),
        at=NOW,
    )
    assert asked == ([(talk.pk,)] if is_on else [])


def test_an_erasure_deletes_texts_and_summaries(
    client: Client, talk: Conversation, agent: Agent, server: str
) -> None:
    choose(talk, server)
    written(client, talk, "draft")
    ConversationSummary.objects.create(conversation=talk, to_seq=1, text="x", made_at=NOW)
    verbs.finish(talk.pk, actor=actors.agent(agent.user), at=NOW)
    talk.refresh_from_db()
    assert talk.status == "closed"
    personal_data.erase(personal_data.of_visitor(talk.visitor), by=None, at=NOW)
    assert not WritingAid.objects.exists()
    assert not ConversationSummary.objects.exists()
    assert not LanguageModelCall.objects.exists()
