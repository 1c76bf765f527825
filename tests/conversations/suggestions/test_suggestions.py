"""Suggestions: learning, offering and recording them, and requests to external providers."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Agent, Website
from config.celery import app
from conversations import surveys
from conversations.admin import SuggestionSettingsForm
from conversations.canned import library
from conversations.lifecycle import actors, denormalized, verbs
from conversations.messages import sending
from conversations.models import (
    Author,
    CannedReply,
    CloseReason,
    Conversation,
    PastAnswer,
    SuggestionOffer,
    SuggestionSettings,
    SuggestionUse,
    Survey,
)
from conversations.suggestions import learning, suggestion_log
from core import outside_servers
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LATER = NOW + timedelta(hours=1)
QUESTION = "Bonjour, quel est le délai de livraison de la bague ?"
ANSWER = "Nous livrons en 48 heures ouvrées, le suivi vous parvient à l'expédition."


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice", slots=50)
    step.group.members.add(agent)
    return agent


def say(conversation: Conversation, author: Author, body: str) -> int:
    sent = sending.add(conversation.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)
    return int(sent.frame["seq"])


def open_conversation(step: RuleStep, agent: Agent, question: str = QUESTION) -> Conversation:
    conversation = on_desk(step, agent)
    say(conversation, Author.VISITOR, question)
    return conversation


def closed_conversation(
    step: RuleStep,
    agent: Agent,
    *,
    answer: str = ANSWER,
    question: str = QUESTION,
    reason: CloseReason = CloseReason.RESOLVED,
    csat: int | None = None,
) -> Conversation:
    conversation = open_conversation(step, agent, question)
    say(conversation, Author.AGENT, answer)
    actor = actors.agent(agent.user)
    verbs.close(conversation.pk, reason=reason, actor=actor, at=NOW)
    if csat is not None:
        Survey.objects.filter(conversation=conversation).delete()
        Survey.objects.create(
            conversation=conversation,
            **denormalized.copied(conversation),
            offered_at=NOW,
            answered_at=NOW,
            csat=csat,
        )
    return conversation


def suggestions_for(conversation: Conversation, agent: Agent) -> list[tuple[str, str]]:
    conversation = Conversation.objects.get(pk=conversation.pk)
    offered = suggestion_log.offer(conversation, agent, at=LATER)
    return [(one["source"], one["body"]) for one in offered.suggestions] if offered else []


@pytest.mark.parametrize(
    ("reason", "csat", "is_learnt"),
    [
        (CloseReason.RESOLVED, None, True),
        (CloseReason.RESOLVED, 4, True),
        (CloseReason.RESOLVED, 3, False),
        (CloseReason.SNOOZE_OVER, None, False),
        (CloseReason.SNOOZE_OVER, 5, True),
        (CloseReason.BLOCKED, None, False),
    ],
)
def test_only_successful_conversations_are_learned(
    step: RuleStep, agent: Agent, reason: CloseReason, csat: int | None, is_learnt: bool
) -> None:
    closed_conversation(step, agent, reason=reason, csat=csat)
    assert learning.learn_all(at=NOW) == 0  # the conversation may still change
    assert learning.learn_all(at=LATER) == 1
    assert learning.learn_all(at=LATER) == 0
    assert PastAnswer.objects.exists() is is_learnt


def test_later_bad_rating_removes_the_learned_answer(step: RuleStep, agent: Agent) -> None:
    conversation = closed_conversation(step, agent)
    learning.learn_all(at=LATER)
    for csat, count in ((2, 0), (5, 1)):
        Survey.objects.filter(conversation=conversation).delete()
        Survey.objects.create(
            conversation=conversation, **denormalized.copied(conversation), offered_at=NOW
        )
        surveys.answer(conversation.pk, csat=csat, nps=None, comment="", at=LATER)
        learning.relearn(conversation_id=conversation.pk, website_id=conversation.website_id)
        assert PastAnswer.objects.count() == count


def test_a_question_finds_well_rated_answers(step: RuleStep, agent: Agent) -> None:
    closed_conversation(step, agent)
    closed_conversation(step, agent, answer=ANSWER)  # the same answer is one suggestion
    closed_conversation(
        step, agent, question="Puis-je changer la couleur ?", answer="Oui, avant l'expédition."
    )
    closed_conversation(step, agent, answer="Bonjour Jeanne, livraison demain chez vous.")
    elsewhere = StepFactory()
    closed_conversation(elsewhere, agent, answer="Ailleurs on livre en trois semaines environ.")
    learning.learn_all(at=LATER)
    again = open_conversation(step, agent, "Quels sont vos délais de livraisons pour une bague")
    assert suggestions_for(again, agent) == [("answer", ANSWER)]
    misspelt = open_conversation(step, agent, "kel et le delai de livrason de la bage")
    assert suggestions_for(misspelt, agent) == [("answer", ANSWER)]
    assert (
        suggestions_for(open_conversation(step, agent, "Avez-vous une boutique à Lyon ?"), agent)
        == []
    )


def test_suggested_canned_replies_have_variables_filled(step: RuleStep, agent: Agent) -> None:
    website: Website = step.rule.website
    texts = [
        ("fr", website, "Délai de livraison : {agent_name} vous répond en {website_name}."),
        ("en", website, "Délai de livraison in the wrong language."),
        ("fr", StepFactory().rule.website, "Délai de livraison ailleurs."),
    ]
    for language, owner, body in texts:
        library.save(
            CannedReply(website=owner, language=language, name="Délai livraison bague", body=body)
        )
    filled = f"Délai de livraison : Alice vous répond en {website.name}."
    assert suggestions_for(open_conversation(step, agent), agent) == [("canned", filled)]


def test_offer_is_created_once_and_decided_once(step: RuleStep, agent: Agent) -> None:
    closed_conversation(step, agent)
    learning.learn_all(at=LATER)
    conversation = open_conversation(step, agent)
    assert suggestions_for(conversation, agent) == suggestions_for(conversation, agent) != []
    assert suggestions_for(conversation, AgentFactory()) == []  # not on that desk
    key: dict[str, Any] = {"conversation_id": conversation.pk, "agent_id": agent.pk, "at": LATER}
    seq = SuggestionOffer.objects.get().seq
    assert not suggestion_log.decide(**key, seq=seq, chosen=3, is_edited=False)
    assert suggestion_log.decide(**key, seq=seq, chosen=0, is_edited=True)
    assert not suggestion_log.decide(**key, seq=seq, chosen=None, is_edited=False)
    offered = SuggestionOffer.objects.get()
    assert (offered.outcome, offered.source, offered.decided_at) == (
        SuggestionUse.EDITED,
        "answer",
        LATER,
    )
    say(conversation, Author.AGENT, "Voilà.")
    assert suggestions_for(conversation, agent) == []  # everything is answered


def test_website_can_turn_suggestions_off(step: RuleStep, agent: Agent) -> None:
    closed_conversation(step, agent)
    SuggestionSettings.objects.create(website=step.rule.website, is_on=False)
    learning.learn_all(at=LATER)
    assert not PastAnswer.objects.exists()
    assert suggestions_for(open_conversation(step, agent), agent) == []


class Outside:
    """A provider; ``answer`` is its next response."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.hosts: list[str] = []
        self.answer: tuple[int, bytes] = (200, b'{"suggestions": []}')
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outside.hosts.append(self.headers["Host"])
                outside.heard.append((self.headers["Authorization"], json.loads(body)))
                status, content = outside.answer
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                """Log nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def outside() -> Iterator[Outside]:
    provider = Outside()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()


def offer(step: RuleStep, agent: Agent, provider: Outside, **given: Any) -> SuggestionOffer:
    """Return the suggestions for one more question, before the provider is asked."""
    cache.delete(f"suggestions:failures:{step.rule.website_id}")
    url = f"http://127.0.0.1:{provider.server.server_port}/"
    SuggestionSettings.objects.update_or_create(
        website=step.rule.website,
        defaults={"provider_url": url, "provider_secret": "s3cret", **given},
    )
    conversation = open_conversation(
        step, agent, "Je suis Jeanne Dupont, jeanne@example.com : ma commande ?"
    )
    conversation.visitor.name = "Jeanne Dupont"
    conversation.visitor.save()
    offered = suggestion_log.offer(Conversation.objects.get(pk=conversation.pk), agent, at=NOW)
    assert offered is not None
    return offered


def ask_provider(step: RuleStep, agent: Agent, provider: Outside, **given: Any) -> bool:
    """Return whether the provider had an answer to one more question."""
    return suggestion_log.ask_provider(offer(step, agent, provider, **given).pk)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://[::1]/", "https://1.1.1.1:22/"])
def test_private_provider_is_refused_at_save(step: RuleStep, settings: Any, url: str) -> None:
    data = {"website": step.rule.website_id, "is_on": "on", "provider_url": url}
    form = SuggestionSettingsForm(data)
    assert form.errors == {
        "provider_url": ["This address cannot be called. Use a public server on the standard port."]
    }
    for allowed in (data | {"provider_url": "https://1.1.1.1/"}, data | {"provider_url": ""}):
        assert SuggestionSettingsForm(allowed).is_valid()
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    assert SuggestionSettingsForm(data).is_valid()


def submitted(settings: SuggestionSettings, **changed: str) -> SuggestionSettingsForm:
    data = {
        "website": str(settings.website_id),
        "is_on": "on",
        "provider_url": settings.provider_url,
    }
    form = SuggestionSettingsForm(data | changed, instance=settings)
    if form.is_valid():
        form.save()
    return form


@pytest.fixture
def stored(step: RuleStep) -> SuggestionSettings:
    settings: SuggestionSettings = SuggestionSettings.objects.create(
        website=step.rule.website, provider_url="https://1.1.1.1/a", provider_secret="s3cret"
    )
    return settings


@pytest.mark.parametrize(
    ("typed", "secret"),
    [
        ({}, "s3cret"),
        ({"provider_secret": ""}, "s3cret"),
        ({"provider_secret": "new", "provider_secret-remove": "on"}, "new"),
        ({"provider_secret": "  new  "}, "new"),
        ({"provider_secret-remove": "on"}, ""),
    ],
)
def test_secret_is_kept_replaced_or_removed(
    stored: SuggestionSettings, typed: dict[str, str], secret: str
) -> None:
    form = submitted(stored, **typed)
    assert form.errors == {}
    assert ("provider_secret" in form.changed_data) == (secret != "s3cret")
    stored.refresh_from_db()
    assert stored.provider_secret.reveal() == secret


def test_secret_is_never_shown(stored: SuggestionSettings) -> None:
    wrong = submitted(stored, provider_url="nowhere", provider_secret="typed")
    for page in (str(SuggestionSettingsForm(instance=stored)), str(wrong)):
        assert "A secret is stored and is never shown." in page
        for hidden in ("s3cret", "typed", stored.provider_secret.ciphertext, "•••"):
            assert hidden not in page
    assert "No secret is stored." in str(SuggestionSettingsForm())


@pytest.mark.parametrize(
    ("url", "typed", "is_saved"),
    [
        ("https://1.1.1.1/b", {}, True),
        ("https://1.0.0.1/a", {}, False),
        ("http://1.1.1.1/a", {}, False),
        ("https://1.1.1.1:8443/a", {}, False),
        ("https://1.0.0.1/a", {"provider_secret": "its own"}, True),
        ("https://1.0.0.1/a", {"provider_secret-remove": "on"}, True),
        ("", {}, True),
    ],
)
def test_stored_secret_is_not_sent_to_another_server(
    stored: SuggestionSettings, url: str, typed: dict[str, str], is_saved: bool
) -> None:
    form = submitted(stored, provider_url=url, **typed)
    error = "The address leads to another server. Enter its secret, or remove this one."
    assert form.errors == ({} if is_saved else {"provider_secret": [error]})


def test_an_unreadable_secret_only_silences_the_provider(
    step: RuleStep,
    agent: Agent,
    outside: Outside,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    offered = offer(step, agent, outside)
    settings.SECRET_KEY = "another key " * 6
    assert not suggestion_log.ask_provider(offered.pk)
    assert outside.heard == []
    assert "failed: Unreadable" in caplog.text


def test_private_provider_is_not_called(
    step: RuleStep, agent: Agent, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    assert not ask_provider(step, agent, outside)
    assert outside.heard == []
    assert "failed: Forbidden" in caplog.text


def test_listed_private_provider_is_called_at_the_address_that_was_checked(
    step: RuleStep,
    agent: Agent,
    outside: Outside,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = outside.server.server_port
    settings.PRIVATE_SERVERS = outside_servers.read([f"llm.internal:{port}"])
    outside.answer = (200, json.dumps({"suggestions": ["Elle arrive."]}).encode())
    asked = []

    def resolve(name: str, *_: object, **__: object) -> list[Any]:
        """As a name server that answers "llm.internal" only."""
        asked.append(name)
        assert name in {"llm.internal", "127.0.0.1"}
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    offered = offer(step, agent, outside, provider_url=f"http://llm.internal:{port}/")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert suggestion_log.ask_provider(offered.pk)
    assert outside.hosts == [f"llm.internal:{port}"]
    # Once; the connection is made to the address that was checked.
    assert asked == ["llm.internal", "127.0.0.1"]
    settings.PRIVATE_SERVERS = outside_servers.read([f"other.internal:{port}"])
    assert not suggestion_log.ask_provider(offered.pk)


def test_provider_is_asked_by_a_worker(
    step: RuleStep,
    agent: Agent,
    outside: Outside,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    monkeypatch.setitem(app.conf, "task_always_eager", True)
    outside.answer = (200, json.dumps({"suggestions": ["Elle arrive."]}).encode())
    with django_capture_on_commit_callbacks(execute=True):
        offered = offer(step, agent, outside)
        assert outside.heard == []
    offered.refresh_from_db()
    assert offered.suggestions[0]["body"] == "Elle arrive."
    assert len(outside.heard) == 1


def test_provider_gets_personal_data_only_if_the_website_allows(
    step: RuleStep, agent: Agent, outside: Outside, settings: Any
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    outside.answer = (200, json.dumps({"suggestions": ["Elle arrive.", "", 7]}).encode())
    assert ask_provider(step, agent, outside)
    secret, body = outside.heard.pop()
    assert secret == "Bearer s3cret"
    assert body == {
        "website": step.rule.website.key,
        "language": "fr",
        "question": "je suis : ma commande ?",
    }
    assert SuggestionOffer.objects.get().suggestions[0]["body"] == "Elle arrive."
    assert ask_provider(step, agent, outside, sends_personal_data=True)
    assert outside.heard[0][1]["visitor"] == {"name": "Jeanne Dupont"}
    assert "jeanne@example.com" in outside.heard[0][1]["messages"][-1]["body"]


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (302, b""),
        (200, b"no json"),
        (200, b'{"suggestions": 3}'),
        (200, b'["a"]'),
        (200, b" " * 70_000),
    ],
)
def test_failed_provider_adds_no_suggestions(
    step: RuleStep, agent: Agent, outside: Outside, settings: Any, answer: tuple[int, bytes]
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    outside.answer = answer
    assert not ask_provider(step, agent, outside)
    assert len(outside.heard) == 1


def test_provider_is_not_asked_after_three_failures(
    step: RuleStep, agent: Agent, outside: Outside, settings: Any
) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    outside.answer = (500, b"")
    ask_provider(step, agent, outside)
    offered = SuggestionOffer.objects.get()
    for _time in range(4):
        suggestion_log.ask_provider(offered.pk)
    assert len(outside.heard) == 3


def test_a_private_address_is_never_contacted_by_default(
    step: RuleStep, agent: Agent, outside: Outside
) -> None:
    assert not ask_provider(step, agent, outside)
    assert outside.heard == []
