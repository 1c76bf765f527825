"""The contents of a signed identity, and what it restores: the four cases of R29-R32."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from accounts import identities
from accounts.models import Agent, Change, IdentitySecret, Website
from conversations.messages import sending
from conversations.models import Author, Conversation, Person, Visitor
from core.rejection import Rejected
from messenger import identity
from messenger.website_texts import sha256_of, texts_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, WebsiteFactory, on_desk, queued
from tests.messenger.asgi.test_messages import agree, closed, code_of, first
from tests.messenger.conftest import Browser

SECRET, OLD = "s" * 64, "o" * 64
pytestmark = pytest.mark.django_db


def signed(secret: str = SECRET, *, at: datetime = NOW, **claims: Any) -> str:
    payload = {"sub": "C-1042", "aud": "celeste", "exp": int(at.timestamp()) + 600} | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, secret, algorithm="HS256")


def unsigned(header: dict[str, str]) -> str:
    parts = [header, {"sub": "C-1042", "aud": "celeste", "exp": 9_999_999_999}]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*coded, b""]).decode()


def read(token: object, *, secrets: list[str] | None = None) -> identity.Claims:
    known = [SECRET, OLD] if secrets is None else secrets
    return identity.read(token, secrets=known, audience="celeste", at=NOW)


# --- The token alone


def test_a_token_contains_the_claims_of_the_person() -> None:
    claims = read(
        signed(name=" Jeanne\nMartin ", email="j@example.com", profile={"vip": True, "x": []})
    )
    assert (claims.external_id, claims.name) == ("C-1042", "Jeanne Martin")
    assert claims.profile == {"email": "j@example.com", "vip": True}
    assert read(signed(OLD)).external_id == "C-1042"


SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "missing"),
        (None, "missing"),
        (7, "missing"),
        ("x" * 5000, "4096"),
        ("a.b.c", "not a readable JWT"),
        (signed("other" * 20), "not signed with an active secret"),
        (unsigned({"alg": "none", "typ": "JWT"}), "HS256"),
        (unsigned({"alg": "RS256", "typ": "JWT"}), "HS256"),
        (jwt.encode({"sub": "C", "aud": "celeste"}, SECRET, algorithm="HS512"), "HS256"),
        (signed(aud="demo"), "celeste"),
        (signed(aud=None), "aud"),
        (signed(exp=None), "exp"),
        (signed(sub=None), "sub"),
        (signed(sub=" "), "sub"),
        (signed(sub="x" * 201), "sub"),
        (signed(exp=SECONDS - 61), "expired at"),
        (signed(exp=SECONDS + 90_000), "24 hours"),
        (signed(exp=True), "1970"),
        (signed(nbf=SECONDS + 3600), "clock"),
    ],
)
def test_invalid_tokens_are_refused_with_the_reason(token: object, reason: str) -> None:
    with pytest.raises(Rejected, match=reason) as refused:
        read(token)
    assert (refused.value.status, refused.value.code) == (401, "identity")


def test_a_website_without_a_secret_accepts_no_token() -> None:
    with pytest.raises(Rejected, match="no identity secret"):
        read(signed(), secrets=[])


# --- The secrets


def test_a_replaced_secret_stays_valid_for_the_overlap(website: Website) -> None:
    first_one = identities.rotate(website, at=NOW)
    second = identities.rotate(website, at=NOW)
    assert identities.accepted(website, at=NOW) == [
        second.secret.reveal(),
        first_one.secret.reveal(),
    ]
    assert identities.accepted(website, at=NOW + identities.OVERLAP) == [second.secret.reveal()]
    assert identities.revoke(IdentitySecret.objects.all(), at=NOW) == 2
    assert identities.accepted(website, at=NOW) == []
    recorded = Change.objects.filter(model="accounts.identitysecret").values_list(
        "after", flat=True
    )
    assert first_one.secret.ciphertext not in json.dumps(list(recorded))
    assert first_one.secret.reveal() not in json.dumps(list(recorded))


def test_an_unreadable_secret_does_not_stop_the_others(
    website: Website, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lost = identities.rotate(website, at=NOW)
    settings.SECRET_KEY = "another key " * 6
    second = identities.rotate(website, at=NOW)
    assert identities.accepted(website, at=NOW) == [second.secret.reveal()]
    assert f"identity secret {lost.pk} cannot be decrypted" in caplog.text


# --- Who is whose


@pytest.fixture
def alice() -> Agent:
    alice: Agent = AgentFactory(display_name="Alice")
    return alice


@pytest.fixture
def brand(website: Website) -> str:
    """The secret that the brand's server has."""
    cache.clear()
    return identities.rotate(website, at=timezone.now()).secret.reveal()


def identify(browser: Browser, brand: str, **claims: Any) -> Any:
    token = signed(brand, at=timezone.now(), **claims)
    answer = browser.post("identity/", {"identity": token, "language": "fr"})
    if answer.status_code == 200 and answer.json()["token"]:
        browser.token = answer.json()["token"]
    return answer


def customer(website: Website, brand: str, **claims: Any) -> Browser:
    """Return a browser whose visitor has agreed and is known."""
    browser = Browser(website)
    agree(browser, website)
    assert identify(browser, brand, **claims).json()["known"]
    return browser


def visitor_of(browser: Browser) -> Visitor:
    return Visitor.objects.get(public_id=browser.get("state/").json()["visitor"]["id"])


def shown(browser: Browser) -> tuple[str | None, list[str]]:
    state = browser.get("state/").json()
    present = state["conversation"]
    return present and present["id"], [one["id"] for one in state["history"]]


@time_machine.travel(NOW + timedelta(hours=1), tick=False)
@pytest.mark.parametrize("is_known", [False, True], ids=["R29", "R31"])
def test_hidden_history_is_not_listed_until_it_is_shown_again(
    website: Website, step: RuleStep, alice: Agent, brand: str, is_known: bool
) -> None:
    browser = customer(website, brand) if is_known else Browser(website)
    if not is_known:
        agree(browser, website)
    visitor = visitor_of(browser)
    past = closed(step, alice, visitor)
    present = on_desk(step, alice, visitor=visitor)
    before = shown(browser)
    assert before == (str(present.public_id), [str(past.public_id)])
    assert browser.post("history/", {"hidden": True}).json()["privacy"]["hidden"] is True
    assert shown(browser) == (None, [])
    if is_known:  # in their other browsers, too
        assert shown(customer(website, brand)) == (None, [])
    at = timezone.now() + timedelta(seconds=1)
    sending.add(present.pk, author=Author.AGENT, body="Voici", client_id=uuid.uuid4(), at=at)
    assert shown(browser) == (str(present.public_id), [])  # an answer is never withheld
    assert browser.post("history/", {"hidden": False}).status_code == 200
    assert shown(browser) == before
    assert Conversation.objects.count() == 2


def test_an_unknown_visitor_without_a_token_is_a_new_visitor(
    website: Website, step: RuleStep, alice: Agent
) -> None:
    """R30: the browser has forgotten the visitor, and nothing restores the history."""
    before = Browser(website)
    agree(before, website)
    closed(step, alice, visitor_of(before))
    after = Browser(website)
    agree(after, website)
    assert visitor_of(after) != visitor_of(before)
    assert shown(after) == (None, [])


def test_a_known_customer_regains_the_history_on_a_new_browser(
    website: Website, step: RuleStep, alice: Agent, brand: str
) -> None:
    """R32: a new identity, and the external id restores the history."""
    before = customer(website, brand)
    past = closed(step, alice, visitor_of(before))
    after = Browser(website)
    answer = identify(after, brand).json()
    assert answer["known"]
    assert visitor_of(after) != visitor_of(before)
    assert shown(after) == (None, [str(past.public_id)])
    assert after.get("state/").json()["privacy"]["consent"] == "given"
    # A new conversation needs targeting and room, like any other.
    queued(step)
    assert code_of(after.post("conversations/", first())) == (409, "no_room")


def test_a_new_customer_is_identified_only_with_consent(
    browser: Browser, website: Website, brand: str
) -> None:
    assert identify(browser, brand).json() == {"known": False, "token": None, "visitor": None}
    assert (Visitor.objects.count(), Person.objects.count()) == (0, 0)
    state = browser.get("state/")
    assert code_of(state) == (401, "token")
    token = signed(brand, at=timezone.now(), name="Jeanne")
    text = identity_text(website)
    answer = browser.post("visitors/", {"language": "fr", "consent": text, "identity": token})
    browser.token = answer.json()["token"]
    visitor = visitor_of(browser)
    assert (visitor.person and visitor.person.external_id, visitor.name) == ("C-1042", "Jeanne")


def identity_text(website: Website) -> str:
    from messenger.website_texts import sha256_of, texts_of

    return sha256_of(texts_of(website, "fr")["consent"])


def test_login_preserves_earlier_messages_and_changes_the_token(
    website: Website, step: RuleStep, alice: Agent, brand: str
) -> None:
    other = customer(website, brand)
    before = closed(step, alice, visitor_of(other))
    browser = Browser(website)
    agree(browser, website)
    visitor, old_token = visitor_of(browser), browser.token
    mine = on_desk(step, alice, visitor=visitor)
    identify(browser, brand)
    assert visitor_of(browser) == visitor
    assert shown(browser) == (str(mine.public_id), [str(before.public_id)])
    assert browser.token != old_token
    assert code_of(Browser(website, old_token).get("state/")) == (401, "token")
    assert identify(browser, brand).json()["token"] is None  # repeated: nothing to change


def test_a_second_customer_on_a_browser_sees_no_history_of_the_first(
    website: Website, step: RuleStep, alice: Agent, brand: str
) -> None:
    browser = customer(website, brand)
    closed(step, alice, visitor_of(browser))
    first_token = browser.token
    assert identify(browser, brand, sub="C-2").json()["known"] is False
    customer(website, brand, sub="C-2")
    identify(browser, brand, sub="C-2")
    assert browser.token != first_token
    assert shown(browser) == (None, [])


def test_two_browsers_of_one_customer_share_a_conversation(
    website: Website, step: RuleStep, brand: str
) -> None:
    one, two = customer(website, brand), customer(website, brand)
    begun = one.post("conversations/", first()).json()["conversation"]["id"]
    assert two.post("conversations/", first("Encore moi")).json()["conversation"]["id"] == begun
    assert Conversation.objects.get().last_seq == 2
    assert one.post("email/", {"address": "j@example.com"}).status_code == 200
    assert two.get("state/").json()["email"]["address"] == "j@example.com"
    assert two.post("email/", {"address": None}).status_code == 200
    assert one.get("state/").json()["email"] is None


def test_logging_out_revokes_only_the_token_of_a_known_customer(
    browser: Browser, website: Website, brand: str
) -> None:
    agree(browser, website)
    assert browser.post("logout/", {}).json() == {"forgotten": False}
    identify(browser, brand)
    assert browser.post("logout/", {}).json() == {"forgotten": True}
    assert code_of(browser.get("state/")) == (401, "token")


def test_a_single_use_token_works_in_one_browser(website: Website, brand: str) -> None:
    customer(website, brand)
    one, two = Browser(website), Browser(website)
    assert identify(one, brand, jti="7").status_code == 200
    assert identify(one, brand, jti="7").status_code == 200
    assert code_of(identify(two, brand, jti="7")) == (401, "identity")
    assert Visitor.objects.count() == 2


def test_a_token_of_another_website_is_ignored_and_logged(
    browser: Browser, website: Website, brand: str, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = identities.rotate(WebsiteFactory(), at=timezone.now()).secret.reveal()
    answer = identify(browser, theirs)
    assert code_of(answer) == (401, "identity")
    assert "celeste: an identity was ignored" in caplog.text
    assert Person.objects.count() == 0


def test_an_unsigned_name_or_address_identifies_no_customer(
    browser: Browser, website: Website, step: RuleStep, alice: Agent, brand: str
) -> None:
    known = visitor_of(customer(website, brand, email="j@example.com"))
    past = closed(step, alice, known)
    stranger = VisitorFactory(website=website, token="stranger", name="Jeanne")
    browser.token = "stranger"
    browser.post("email/", {"address": "j@example.com"})
    assert shown(browser) == (None, [])
    assert code_of(browser.post(f"conversations/{past.public_id}/survey/", {"csat": 1}))[0] == 404
    stranger.refresh_from_db()
    assert stranger.person is None


# --- The signed address (C66)


def email_of(browser: Browser) -> str | None:
    shown = browser.get("state/").json()["email"]
    return shown["address"] if shown else None


def test_a_signed_address_becomes_the_visitors_address(
    browser: Browser, website: Website, brand: str
) -> None:
    agree(browser, website)
    identify(browser, brand, email=" Jeanne@Example.org ")
    assert email_of(browser) == "Jeanne@example.org"
    identify(browser, brand, email="jeanne.martin@example.org")
    assert email_of(browser) == "jeanne.martin@example.org"


def test_the_customers_own_address_wins_over_the_signed_one(
    browser: Browser, website: Website, brand: str
) -> None:
    agree(browser, website)
    browser.post("email/", {"address": "own@example.com"})
    identify(browser, brand, email="jeanne@example.org")
    assert email_of(browser) == "own@example.com"
    browser.post("email/", {"address": None})
    identify(browser, brand, email="jeanne@example.org")
    assert email_of(browser) is None
    identify(browser, brand, email="another@example.org")
    assert email_of(browser) is None


def test_a_signed_address_is_not_stored_without_consent(
    browser: Browser, website: Website, brand: str
) -> None:
    agree(browser, website)
    identify(browser, brand, email="jeanne@example.org")
    browser.post("consent/", {"given": False})
    assert identify(browser, brand, email="jeanne@example.org").status_code == 403
    assert email_of(browser) is None
    consent = sha256_of(texts_of(website, "fr")["consent"])
    browser.post("consent/", {"language": "fr", "consent": consent})
    identify(browser, brand, email="jeanne@example.org")
    assert email_of(browser) == "jeanne@example.org"


def test_an_invalid_signed_address_is_not_stored(
    browser: Browser, website: Website, brand: str
) -> None:
    agree(browser, website)
    identify(browser, brand, email="jeanne at home")
    assert email_of(browser) is None


@pytest.mark.parametrize("sub", ["C-1\0", "C-1\u200b042", "C\u202e1", "\ufffd"])
def test_an_invisible_external_id_is_refused(sub: str) -> None:
    with pytest.raises(Rejected, match="sub"):
        read(signed(sub=sub))


def test_invisible_characters_are_removed_from_claims() -> None:
    claims = read(signed(name="Ali\u200bce \u202eevil\0", profile={"plan\u2066": "a\u202eb"}))
    assert claims.name == "Alice evil"
    assert claims.profile == {"plan": "ab"}
