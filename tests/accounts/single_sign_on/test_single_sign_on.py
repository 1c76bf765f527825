"""Single sign-on against a provider that runs: who gets in, and every forgery that does not."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import (
    AdmissionRule,
    Agent,
    ExternalIdentity,
    IdentityProvider,
    Login,
    LoginRule,
    Role,
    User,
)
from accounts.single_sign_on import discovery, tokens
from tests import identity_provider
from tests.factories import PASSWORD, GroupFactory, UserFactory
from tests.identity_provider import CLIENT, SECRET, Provider
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db
START = "/login/with/acme/"
BACK = "/login/with/acme/return/"
ADA = {
    "sub": "ada-1",
    "email": "ada@example.com",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lemoine",
    "groups": ["support"],
    "sid": "session-1",
}


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


BROWSER = urllib.request.build_opener(Stay)


@pytest.fixture
def server(settings: Settings) -> Iterator[Provider]:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    discovery.forget()
    with identity_provider.running() as provider:
        provider.person = dict(ADA)
        yield provider


@pytest.fixture
def provider(server: Provider) -> IdentityProvider:
    return IdentityProvider.objects.create(
        name="Acme",
        key="acme",
        issuer=server.url,
        client_id=CLIENT,
        client_secret=SECRET,
        creates_accounts=True,
    )


@pytest.fixture
def support(provider: IdentityProvider) -> AdmissionRule:
    rule = AdmissionRule.objects.create(provider=provider, value="support", role=Role.AGENT)
    rule.groups.add(GroupFactory(name="Support"))
    return rule


def go(client: Client, start: str = START) -> str:
    """Go to the provider; return the path with which the browser comes back."""
    there = client.get(start)
    assert there.status_code == 302, there.content
    try:
        BROWSER.open(there["Location"], timeout=5)
    except urllib.error.HTTPError as answer:
        with answer:
            back = urlsplit(answer.headers["Location"])
    assert back.path == BACK
    return f"{back.path}?{back.query}"


def log_in(client: Client | None = None) -> Any:
    client = client or Client()
    return client.get(go(client))


def test_a_person_gets_an_account_a_desk_and_groups_and_comes_back(
    support: AdmissionRule, server: Provider
) -> None:
    client = Client()
    answer = client.get(go(client, f"{START}?next=/reports/agents/"))
    assert answer["Location"] == "/reports/agents/"
    ada = User.objects.get()
    assert (ada.username, ada.email) == ("ada@example.com", "ada@example.com")
    assert (ada.first_name, ada.role, ada.is_superuser) == ("Ada", Role.AGENT, False)
    assert not ada.has_usable_password()
    assert [group.name for group in Agent.objects.get(user=ada).groups.all()] == ["Support"]
    assert client.get("/account/").status_code == 200
    login = Login.objects.get()
    assert (login.method, login.provider_session) == ("single_sign_on", "session-1")

    server.person["email"] = "lovelace@example.com"  # the subject counts, not the address
    assert log_in()["Location"] == "/"
    assert User.objects.get() == ada
    [first, second] = server.asked
    assert first["nonce"] != second["nonce"]
    assert first["state"] != second["state"]


def test_role_and_groups_follow_the_rules_at_each_login(
    support: AdmissionRule, server: Provider, provider: IdentityProvider
) -> None:
    log_in()
    agent = Agent.objects.get()
    by_hand = GroupFactory(name="By hand")
    agent.groups.add(by_hand)
    lead = AdmissionRule.objects.create(
        provider=provider, value="leads", role=Role.MANAGER, position=0
    )
    lead.groups.add(GroupFactory(name="Leads"))
    server.person["groups"] = ["leads"]
    log_in()
    assert User.objects.get().role == Role.MANAGER
    assert {group.name for group in agent.groups.all()} == {"By hand", "Leads"}
    server.person["groups"] = []
    assert log_in().status_code == 403


def test_a_domain_admits_only_confirmed_addresses(
    provider: IdentityProvider, server: Provider
) -> None:
    AdmissionRule.objects.create(provider=provider, basis="domain", value="example.com")
    for confirmed in (False, None, "true", 1):
        server.person["email_verified"] = confirmed
        assert log_in().status_code == 403
    server.person = ADA | {"email": "ada@example.com.evil.example"}
    assert log_in().status_code == 403
    assert not User.objects.exists()
    server.person = dict(ADA)
    assert log_in().status_code == 302


def test_nobody_gets_an_existing_account_by_its_address(
    support: AdmissionRule, server: Provider
) -> None:
    UserFactory(username="boss", email="ADA@example.com", role=Role.ADMIN)
    answer = log_in()
    assert answer.status_code == 403
    assert "Another account already exists" in answer.content.decode()
    server.person = ADA | {"email": "other@example.com", "sub": "x", "email_verified": False}
    server.person["preferred_username"] = "BOSS"
    assert log_in().status_code == 403
    assert not ExternalIdentity.objects.exists()


def test_without_a_rule_or_the_setting_there_is_no_account(
    support: AdmissionRule, server: Provider, provider: IdentityProvider
) -> None:
    server.person["groups"] = ["sales"]
    assert log_in().status_code == 403
    server.person = dict(ADA)
    IdentityProvider.objects.update(creates_accounts=False)
    assert log_in().status_code == 403
    assert not User.objects.exists()
    IdentityProvider.objects.update(is_enabled=False)
    assert Client().get(START).status_code == 404


def test_an_inactive_account_stays_closed(support: AdmissionRule) -> None:
    log_in()
    User.objects.update(is_active=False)
    assert log_in().status_code == 403


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none")


def forged(server: Provider, claims: dict[str, Any]) -> str:
    """Sign with the public key as if it were a shared secret."""
    import hashlib
    import hmac

    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": "one"}, claims)
    ]
    text = b".".join(parts)
    signature = hmac.new(server.public_pem(), text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def another_key(claims: dict[str, Any]) -> str:
    key, _public = identity_provider.new_key("one")
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "one"})


CHANGES: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "audience": {"aud": "another"},
    "audiences": {"aud": [CLIENT, "another"]},
    "party": {"aud": [CLIENT, "another"], "azp": "another"},
    "only party": {"azp": "another"},
    "issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1_000_000},
    "old": {"iat": 1_000_000},
    "no expiry": {"exp": None},
    "future": {"iat": 9_000_000_000},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "odd subject": {"sub": ["ada-1"]},
    "long subject": {"sub": "a" * 256},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_token_with_a_wrong_claim_opens_nothing(
    name: str, support: AdmissionRule, server: Provider
) -> None:
    def change(claims: dict[str, Any]) -> dict[str, Any]:
        changed = claims | CHANGES[name]
        return {key: value for key, value in changed.items() if value is not None}

    server.change = change
    refused(log_in())


@pytest.mark.parametrize("name", ["none", "public key", "another key", "unknown key", "no JWT"])
def test_a_token_with_a_wrong_signature_opens_nothing(
    name: str, support: AdmissionRule, server: Provider
) -> None:
    other, _public = identity_provider.new_key("two")
    server.sign = {
        "none": unsigned,
        "public key": lambda claims: forged(server, claims),
        "another key": another_key,
        "unknown key": lambda claims: jwt.encode(
            claims, other, algorithm="RS256", headers={"kid": "two"}
        ),
        "no JWT": lambda claims: "a.b",
    }[name]
    refused(log_in())


def refused(answer: Any) -> None:
    assert answer.status_code == 403
    assert "could not be confirmed" in answer.content.decode()
    assert not User.objects.exists()
    assert "_auth_user_id" not in answer.client.session


def test_a_return_works_once_and_in_the_browser_that_left(support: AdmissionRule) -> None:
    client = Client()
    path = go(client)
    refused(Client().get(path))
    refused(client.get(path.replace("state=", "state=x")))
    path = go(client)
    assert client.get(path).status_code == 302
    assert client.get(path).status_code == 403


def test_an_answer_of_another_provider_is_refused(support: AdmissionRule, server: Provider) -> None:
    for old, new in ((f"iss={server.url.split(':')[0]}", "iss=https"), ("&iss=", "&was=")):
        client = Client()
        path = go(client)
        assert old in path
        refused(client.get(path.replace(old, new)))


def test_the_code_is_bound_to_the_verifier(support: AdmissionRule, server: Provider) -> None:
    client, mallory = Client(), Client()
    stolen = parse_qs(urlsplit(go(client)).query)["code"][0]
    path = go(mallory)
    mine = parse_qs(urlsplit(path).query)["code"][0]
    answer = mallory.get(path.replace(mine, stolen))
    assert answer.status_code == 403
    assert not User.objects.exists()


def test_a_new_key_of_the_provider_is_found(support: AdmissionRule, server: Provider) -> None:
    log_in()
    key, public = identity_provider.new_key("two")
    server.keys = [public]
    discovery._remembered[f"{server.url}/keys"] = (time.monotonic() - 61, server.keys[:0])
    server.sign = lambda claims: jwt.encode(claims, key, algorithm="RS256", headers={"kid": "two"})
    assert log_in().status_code == 302


def test_an_account_is_linked_after_a_fresh_proof_and_unlinked(
    provider: IdentityProvider, server: Provider
) -> None:
    boss = UserFactory(username="boss", role=Role.ADMIN)
    stale = Client()
    stale.force_login(boss)
    link = "/account/identities/acme/link/"
    assert stale.get(link)["Location"].startswith("/account/prove/")
    client = log_in_freshly(Client(), boss)
    path = go(client, link)
    eve = log_in_freshly(Client(), UserFactory())
    assert eve.get(path).status_code == 403
    assert client.get(path)["Location"] == "/account/"
    identity = ExternalIdentity.objects.get()
    assert (identity.user, identity.is_managed) == (boss, False)

    entered = Client()
    assert log_in(entered)["Location"] == "/"
    assert entered.get("/admin/").status_code == 200
    boss.refresh_from_db()
    assert boss.role == Role.ADMIN  # a linked account does not follow the rules

    other = log_in_freshly(Client(), UserFactory())
    assert other.get(go(other, link)).status_code == 403
    assert client.post(f"/account/identities/{identity.pk}/unlink/").status_code == 302
    assert not ExternalIdentity.objects.exists()


def test_the_last_way_in_is_not_unlinked(support: AdmissionRule) -> None:
    client = Client()
    log_in(client)
    client.post(f"/account/identities/{ExternalIdentity.objects.get().pk}/unlink/")
    assert ExternalIdentity.objects.exists()


def test_a_user_without_a_password_confirms_at_the_provider(
    support: AdmissionRule, server: Provider
) -> None:
    client = Client()
    log_in(client)
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    location = client.get("/account/email/")["Location"]
    assert location == "/account/prove/provider/?next=%2Faccount%2Femail%2F"
    server.change = lambda claims: claims | {"auth_time": int(time.time()) - 900}
    assert client.get(go(client, location)).status_code == 403
    server.change = lambda claims: claims | {"sub": "eve"}
    assert client.get(go(client, location)).status_code == 403
    server.change = lambda claims: claims
    assert client.get(go(client, location))["Location"] == "/account/email/"
    assert (server.asked[-1]["prompt"], server.asked[-1]["max_age"]) == ("login", "0")
    assert client.get("/account/email/").status_code == 200


def test_a_role_can_need_single_sign_on(support: AdmissionRule) -> None:
    LoginRule.objects.filter(role=Role.AGENT).update(needs_single_sign_on=True)
    UserFactory(username="bob")
    client = Client()
    answer = client.post("/login/", {"username": "bob", "password": PASSWORD}, follow=True)
    assert "only through single sign-on" in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert log_in().status_code == 302
    UserFactory(username="boss", role=Role.ADMIN)
    assert client.post("/login/", {"username": "boss", "password": PASSWORD})["Location"] == "/"
    call_command("allow_passwords", Role.AGENT)
    assert Client().post("/login/", {"username": "bob", "password": PASSWORD})["Location"] == "/"


def test_a_logout_leads_on_to_the_provider(support: AdmissionRule, server: Provider) -> None:
    client = Client()
    log_in(client)
    assert client.post("/admin/logout/")["Location"] == "/logout/elsewhere/"
    page = client.get("/logout/elsewhere/").content.decode()
    assert f"0;url={server.url}/logout?client_id={CLIENT}&amp;id_token_hint=" in page
    assert client.get("/account/").status_code == 302
    assert client.get("/logout/elsewhere/").status_code == 302


def logout_token(server: Provider, **more: Any) -> str:
    events = {tokens.LOGOUT_EVENT: {}}
    return server.signed(server.claims(events=events, jti="1") | more)


def test_a_logout_at_the_provider_ends_the_session_here(
    support: AdmissionRule, server: Provider
) -> None:
    client, other = Client(), Client()
    log_in(client)
    server.person["sid"] = "session-2"
    log_in(other)
    path = "/login/with/acme/logout/"

    def say(**more: Any) -> int:
        return Client().post(path, {"logout_token": logout_token(server, **more)}).status_code

    for wrong in ({}, {"sub": "ada-1", "nonce": "x"}, {"sub": "ada-1", "events": {}}):
        assert say(**wrong) == 400
    assert say(sub="ada-1", aud="another") == 400
    assert Client().post(path, {"logout_token": "x"}).status_code == 400
    assert client.get("/account/").status_code == 200
    assert say(sid="session-1") == 200
    assert client.get("/account/").status_code == 302
    assert other.get("/account/").status_code == 200
    assert say(sub="ada-1") == 200
    assert other.get("/account/").status_code == 302


def test_a_provider_that_does_not_answer_shows_a_message(
    support: AdmissionRule, provider: IdentityProvider
) -> None:
    discovery.forget()
    IdentityProvider.objects.update(issuer="http://127.0.0.1:9")
    answer = Client().get(START)
    assert answer.status_code == 503
    assert "Acme does not answer" in answer.content.decode()
