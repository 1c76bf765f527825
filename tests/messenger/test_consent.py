"""Consent: required before anything begins, withdrawn, given again, required again for another
text."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from accounts.models import Agent, Website
from conversations.messages import sending
from conversations.models import Address, Author, Consent, Visitor
from core.rejection import Rejected
from messenger.website_texts import sha256_of, texts_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, on_desk
from tests.messenger.asgi.test_messages import code_of, first
from tests.messenger.conftest import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(website: Website, browser: Browser) -> Visitor:
    browser.token = "a token"
    visitor: Visitor = VisitorFactory(website=website, token="a token", agrees=True)
    return visitor


@pytest.fixture
def alice() -> Agent:
    alice: Agent = AgentFactory(display_name="Alice")
    return alice


def accept(browser: Browser, website: Website) -> Any:
    sha256 = sha256_of(texts_of(website, "fr")["consent"])
    return browser.post("consent/", {"language": "fr", "consent": sha256})


def consent_state(browser: Browser) -> str:
    return str(browser.get("state/").json()["privacy"]["consent"])


def test_withdrawn_consent_stops_the_visitors_messages_until_given_again(
    browser: Browser, website: Website, visitor: Visitor, step: RuleStep, alice: Agent
) -> None:
    conversation = on_desk(step, alice, visitor=visitor)
    browser.post("email/", {"address": "j@example.com"})
    answer = browser.post("consent/", {"given": False})
    assert answer.json()["privacy"]["consent"] == "withdrawn"
    assert not Address.objects.exists()
    assert code_of(browser.post("conversations/", first())) == (403, "consent")
    assert code_of(browser.post("email/", {"address": "j@example.com"})) == (403, "consent")
    with pytest.raises(Rejected, match="accept first"):
        sending.add(
            conversation.pk, author=Author.VISITOR, body="?", client_id=uuid.uuid4(), at=NOW
        )
    conversation.refresh_from_db()
    assert (conversation.status, conversation.last_seq) == ("active", 0)  # R62: agents close
    assert accept(browser, website).json()["privacy"]["consent"] == "given"
    assert browser.post("conversations/", first()).status_code == 201
    consents = Consent.objects.order_by("pk").values_list("kind", "text_sha256")
    assert [kind for kind, _sha in consents] == ["given", "withdrawn", "given"]
    assert len({sha for _kind, sha in consents}) == 1


def test_a_new_consent_text_is_required_before_a_new_conversation(
    browser: Browser, website: Website, visitor: Visitor, step: RuleStep
) -> None:
    assert consent_state(browser) == "given"
    website.texts = {"fr": {"consent": "Un autre texte."}}
    website.save()
    assert consent_state(browser) == "outdated"
    assert code_of(browser.post("conversations/", first())) == (403, "consent")
    assert accept(browser, website).status_code == 200
    assert consent_state(browser) == "given"
    website.texts["en"] = {"consent": "Another text."}
    website.save()
    assert consent_state(browser) == "given"  # the consent to the French text still counts


def test_a_copy_of_the_data_requires_the_visitors_token(
    browser: Browser, website: Website, visitor: Visitor, step: RuleStep, alice: Agent
) -> None:
    """GDPR 15; also after consent was withdrawn, and including hidden history."""
    conversation = on_desk(step, alice, visitor=visitor)
    browser.post("history/", {"hidden": True})
    browser.post("consent/", {"given": False})
    data = browser.post("copy/", {}).json()
    assert data["website"] == website.name
    assert [row["id"] for row in data["kept"]["conversation"]] == [conversation.pk]
    assert [row["kind"] for row in data["kept"]["consent"]] == ["given", "withdrawn"]
    assert "no-store" in browser.post("copy/", {})["Cache-Control"]
    browser.token = "somebody else"
    assert browser.post("copy/", {}).status_code == 401
    assert browser.get("copy/").status_code == 405
