"""Requests of the Messenger: consent, first message, survey, tickets and refusals."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Agent, Website
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import agent as actor
from conversations.messages import sending
from conversations.models import Author, CloseReason, Consent, Conversation, Survey, Visitor
from messenger import tickets
from messenger.visitors import hash_token
from messenger.website_texts import sha256_of, texts_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, WebsiteFactory, on_desk, queued
from tests.messenger.conftest import Browser

pytestmark = pytest.mark.django_db


def agree(browser: Browser, website: Website, language: str = "fr") -> None:
    text = texts_of(website, language)["consent"]
    answer = browser.post("visitors/", {"language": language, "consent": sha256_of(text)})
    assert answer.status_code == 201
    browser.token = answer.json()["token"]


def first(body: str = "Bonjour", **more: Any) -> dict[str, Any]:
    return {"client_id": str(uuid.uuid4()), "body": body, "page_url": ""} | more


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture
def visitor(website: Website, browser: Browser) -> Visitor:
    browser.token = "a token"
    visitor: Visitor = VisitorFactory(website=website, token="a token", agrees=True)
    return visitor


@pytest.fixture
def alice() -> Agent:
    alice: Agent = AgentFactory(display_name="Alice")
    return alice


def closed(step: RuleStep, agent: Agent, visitor: Visitor) -> Conversation:
    """A closed conversation with an agent's answer and an open survey."""
    conversation = on_desk(step, agent, visitor=visitor)
    sending.add(conversation.pk, author=Author.AGENT, body="Voilà", client_id=uuid.uuid4(), at=NOW)
    return verbs.close(
        conversation.pk, reason=CloseReason.RESOLVED, actor=actor(agent.user), at=NOW
    )


# --- Consent


def test_consent_creates_the_visitor_and_stores_the_accepted_text(
    browser: Browser, website: Website
) -> None:
    assert Visitor.objects.count() == 0
    agree(browser, website)
    consent = Consent.objects.get()
    assert consent.text == texts_of(website, "fr")["consent"]
    assert consent.text_sha256 == sha256_of(consent.text)
    assert consent.visitor.website == website
    assert consent.visitor.token_hash == hash_token(browser.token)
    assert len(browser.token) >= 43
    assert browser.token not in str(consent.visitor.__dict__)


def test_consent_brings_the_ticket_of_the_first_socket(browser: Browser, website: Website) -> None:
    text = texts_of(website, "fr")["consent"]
    answer = browser.post("visitors/", {"language": "fr", "consent": sha256_of(text)}).json()
    visitor = Visitor.objects.get()
    holder = tickets.Holder(visitor.pk, None, hash_token(answer["token"]))
    assert tickets.redeem(answer["ticket"]) == holder
    assert tickets.redeem(answer["ticket"]) is None


@pytest.mark.parametrize("consent", ["", "0" * 64, None, 7])
def test_consent_to_a_text_that_was_not_shown_is_refused(browser: Browser, consent: object) -> None:
    answer = browser.post("visitors/", {"language": "fr", "consent": consent})
    assert code_of(answer) == (403, "consent")
    assert Visitor.objects.count() == 0


# --- The first message


def test_the_first_message_begins_a_conversation(
    browser: Browser, website: Website, step: RuleStep
) -> None:
    agree(browser, website)
    page = "https://www.example.com/lampe?x=1"
    sent = first(page_url=page)
    answer = browser.post("conversations/", sent, Accept_Language="fr")
    assert answer.status_code == 201
    conversation = Conversation.objects.get()
    assert answer.json() == {
        "conversation": {
            "id": str(conversation.public_id),
            "status": "waiting",
            "channel": "chat",
            "asynchronous": True,
            "agent": None,
            "bot": None,
            "last_seq": 1,
            "hidden_seq": 0,
            "read_by_agent": 0,
            "read_by_me": 1,
            "survey": False,
            "opened_at": conversation.opened_at.isoformat(),
            "closed_at": None,
            "place": 1,
            "closed": False,
            "opens_at": None,
            "within": None,
        },
        "message": {
            "seq": 1,
            "id": sent["client_id"],
            "author": "visitor",
            "name": "",
            "body": "Bonjour",
            "at": answer.json()["message"]["at"],
        },
    }
    assert conversation.page_url == page
    again = browser.post("conversations/", sent)
    assert again.json()["message"] == answer.json()["message"]
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize(
    "page_url", ["javascript:alert(1)", "https://x" * 300, "ftp://x", 7, None, "http://a b"]
)
def test_an_invalid_page_url_is_not_stored(
    browser: Browser, visitor: Visitor, step: RuleStep, page_url: object
) -> None:
    assert browser.post("conversations/", first(page_url=page_url)).status_code == 201
    assert Conversation.objects.get().page_url == ""


def test_a_first_message_without_room_is_refused_with_an_explanation(
    browser: Browser, visitor: Visitor, step: RuleStep
) -> None:
    queued(step)
    answer = browser.post("conversations/", first())
    assert code_of(answer) == (409, "no_room")
    assert answer.json()["error"]["message"]
    assert Conversation.objects.filter(visitor=visitor).count() == 0


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        (first(body=""), (400, "empty")),
        (first(body=" \n\t "), (400, "empty")),
        (first(body="x" * 4001), (413, "too_long")),
        (first(body=["x"]), (400, "invalid")),
        (first(client_id="7"), (400, "invalid")),
        ({}, (400, "invalid")),
        ("[]", (400, "invalid")),
        ("{", (400, "invalid")),
        ("x" * 70_000, (413, "too_long")),
    ],
)
def test_invalid_input_is_refused_and_creates_no_conversation(
    browser: Browser, visitor: Visitor, step: RuleStep, sent: object, refusal: tuple[int, str]
) -> None:
    assert code_of(browser.post("conversations/", sent)) == refusal
    assert Conversation.objects.count() == 0


# --- What a visitor sees


def test_the_state_contains_the_open_conversation_and_the_history(
    browser: Browser, visitor: Visitor, step: RuleStep, alice: Agent
) -> None:
    past = closed(step, alice, visitor)
    present = on_desk(step, alice, visitor=visitor)
    state = browser.get("state/").json()
    assert state["visitor"] == {"id": str(visitor.public_id), "name": "", "language": "fr"}
    assert state["conversation"]["id"] == str(present.public_id)
    assert state["conversation"]["status"] == "active"
    assert state["conversation"]["agent"] == {"name": "Alice", "part": "away"}
    assert [(c["id"], c["status"], c["survey"]) for c in state["history"]] == [
        (str(past.public_id), "closed", True)
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_the_state_takes_one_conversation_query_for_any_number(
    browser: Browser, visitor: Visitor, step: RuleStep, alice: Agent, count: int
) -> None:
    for _number in range(count):
        closed(step, alice, visitor)
    with CaptureQueriesContext(connection) as queries:
        browser.get("state/")
    assert len([query for query in queries if '_conversation"' in query["sql"]]) == 1


def test_the_place_counts_earlier_conversations_in_the_queue(
    website: Website, visitor: Visitor, browser: Browser, step: RuleStep
) -> None:
    queued(step)
    queued(step)
    queued(step, visitor=visitor)
    queued(step)
    assert browser.get("state/").json()["conversation"]["place"] == 3


# --- The survey


def test_a_survey_can_be_answered_once(
    browser: Browser, visitor: Visitor, step: RuleStep, alice: Agent
) -> None:
    past = closed(step, alice, visitor)
    path = f"conversations/{past.public_id}/survey/"
    answer = browser.post(path, {"csat": 5, "nps": 0, "comment": " Merci \x00"})
    assert (answer.status_code, answer.content) == (204, b"")
    survey = Survey.objects.get()
    assert (survey.csat, survey.nps, survey.comment) == (5, 0, "Merci")
    assert browser.get("state/").json()["history"][0]["survey"] is False
    assert code_of(browser.post(path, {"csat": 1})) == (409, "refused")


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"csat": 0},
        {"csat": 6},
        {"nps": 11},
        {"nps": -1},
        {"csat": "5"},
        {"csat": True},
        {"csat": 4.5},
        {"comment": "x" * 2001},
        {"comment": ["x"]},
    ],
)
def test_an_answer_out_of_range_is_refused(
    browser: Browser, visitor: Visitor, step: RuleStep, alice: Agent, answers: dict[str, Any]
) -> None:
    past = closed(step, alice, visitor)
    answer = browser.post(f"conversations/{past.public_id}/survey/", answers)
    assert code_of(answer) == (400, "invalid")
    assert Survey.objects.get().answered_at is None


def test_visitors_cannot_answer_the_survey_of_another_visitor(
    browser: Browser, visitor: Visitor, step: RuleStep, alice: Agent
) -> None:
    theirs = closed(step, alice, VisitorFactory(website=visitor.website))
    answer = browser.post(f"conversations/{theirs.public_id}/survey/", {"csat": 1})
    assert code_of(answer) == (404, "not_found")


# --- Who may ask


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "state/"),
        ("post", "conversations/"),
        ("post", "ticket/"),
        ("post", f"conversations/{uuid.UUID(int=7)}/survey/"),
    ],
)
@pytest.mark.parametrize("token", ["", "unknown", "of another website"])
def test_requests_need_a_token_of_this_website(
    browser: Browser, method: str, path: str, token: str
) -> None:
    VisitorFactory(website=WebsiteFactory(), token="of another website")
    browser.token = token
    answer = browser.get(path) if method == "get" else browser.post(path, first())
    assert code_of(answer) == (401, "token")


def test_requests_from_foreign_origins_are_refused(browser: Browser, visitor: Visitor) -> None:
    for path in ("visitors/", "conversations/", "ticket/"):
        for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
            answer = browser.post(path, first(), Origin=origin)
            assert code_of(answer) == (403, "origin")
    assert browser.post("ticket/", {}, Origin="http://testserver").status_code == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", "GET, HEAD"),
        ("state/", "GET"),
        ("visitors/", "POST"),
        ("conversations/", "POST"),
        ("ticket/", "POST"),
    ],
)
def test_a_wrong_method_is_a_405(browser: Browser, path: str, allowed: str) -> None:
    answer = browser.client.delete(browser.base + path, headers={"Accept-Language": "en"})
    assert code_of(answer) == (405, "method")
    assert answer["Allow"] == allowed


def test_errors_use_the_requested_language(browser: Browser) -> None:
    messages = {
        language: browser.get("state/", Accept_Language=language).json()["error"]["message"]
        for language in ("en", "fr")
    }
    assert messages["en"] == "We no longer recognise this browser. Please start again."
    assert messages["fr"] != messages["en"]


# --- Tickets


def test_a_ticket_can_be_redeemed_once(browser: Browser, visitor: Visitor) -> None:
    ticket = browser.post("ticket/", {}).json()["ticket"]
    assert tickets.redeem(ticket) == tickets.Holder(visitor.pk, None, visitor.token_hash)
    assert tickets.redeem(ticket) is None
    assert tickets.redeem("never issued") is None


# --- Functions that a website has switched off


def test_a_disabled_survey_question_takes_no_answer(
    browser: Browser, visitor: Visitor, step: RuleStep, alice: Agent
) -> None:
    past = closed(step, alice, visitor)
    Website.objects.update(survey_nps=False, survey_comment=False)
    path = f"conversations/{past.public_id}/survey/"
    for answers in ({"nps": 9}, {"csat": 5, "comment": "Merci"}):
        assert code_of(browser.post(path, answers)) == (400, "invalid")
    assert browser.post(path, {"csat": 5}).status_code == 204


def test_a_website_without_survey_questions_offers_no_survey(
    browser: Browser, visitor: Visitor, step: RuleStep, alice: Agent
) -> None:
    Website.objects.update(survey_csat=False, survey_nps=False, survey_comment=False)
    past = closed(step, alice, visitor)
    assert Survey.objects.count() == 0
    omission = past.survey_omissions.get()
    assert (omission.reason, omission.agent) == ("switched_off", alice)
    answer = browser.post(f"conversations/{past.public_id}/survey/", {"csat": 5})
    assert code_of(answer) == (409, "refused")
