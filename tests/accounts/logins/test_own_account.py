"""One's own password and address: asked again, changed, told, recorded."""

from __future__ import annotations

import time
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.facts import EmailChangeAsked
from accounts.logins import notices, own_email
from accounts.models import Change, Role, User
from core.events import bus
from core.rates.windows import parse
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
NEW = {"new_password1": "a-fine-password-7", "new_password2": "a-fine-password-7"}
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def alice() -> User:
    user: User = UserFactory(username="alice", email="alice@example.com")
    return user


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    facts: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *some: facts.extend(some))
    return facts


@pytest.fixture
def client(alice: User) -> Client:
    """A browser whose login is too old for something important."""
    client = Client(headers={"User-Agent": AGENT})
    client.force_login(alice)
    return client


def prove(client: Client, password: str = PASSWORD, to: str = "/account/password/") -> Any:
    return client.post(f"/account/prove/?next={to}", {"password": password})


@pytest.mark.parametrize("role", Role.values)
def test_every_role_changes_its_own_password(role: str) -> None:
    user = UserFactory(role=role)
    client = Client()
    client.force_login(user)
    assert client.get("/account/").status_code == 200
    asked = client.get("/account/password/")
    assert asked["Location"] == "/account/prove/?next=%2Faccount%2Fpassword%2F"
    assert prove(client)["Location"] == "/account/password/"
    assert client.post("/account/password/", NEW)["Location"] == "/account/"
    user.refresh_from_db()
    assert user.check_password(NEW["new_password1"])
    assert "Your password has been changed" in client.get("/account/").content.decode()


def test_a_login_counts_as_proof_for_a_few_minutes(alice: User) -> None:
    client = Client()
    client.post("/login/", {"username": "alice", "password": PASSWORD})
    assert client.get("/account/password/").status_code == 200
    with time_machine.travel(time.time() + 601):
        assert client.get("/account/password/").status_code == 302
        assert client.post("/account/password/", NEW).status_code == 403
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_changed_password_ends_other_sessions_and_is_announced_and_recorded(
    client: Client, alice: User, published: list[Any]
) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice)
    prove(client)
    client.post("/account/password/", NEW)
    assert elsewhere.get("/account/").status_code == 302
    assert client.get("/account/").status_code == 200
    (fact,) = published
    assert (fact.user_id, fact.event) == (alice.pk, "password_changed")
    assert fact.place == "Firefox, Linux (127.0.0.1)"
    change = Change.objects.filter(model="accounts.user", object_id=alice.pk).first()
    assert change is not None
    assert (change.actor_id, change.after) == (alice.pk, {"password": "•••"})


@pytest.mark.parametrize("bad", ["alice", "password", "12345678901", "alice@example"])
def test_weak_passwords_are_refused(client: Client, alice: User, bad: str) -> None:
    prove(client)
    answer = client.post("/account/password/", {"new_password1": bad, "new_password2": bad})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_no_new_password_is_stored_while_one_is_asked_again(client: Client) -> None:
    client.post("/account/password/", NEW)
    assert NEW["new_password1"] not in str(dict(client.session))


@pytest.fixture
def limited(settings: Settings) -> None:
    settings.RATE_LIMITS = {"login": parse("account 3/15minute, address 8/15minute")}


def test_wrong_passwords_are_counted_when_asked_again(client: Client, limited: None) -> None:
    assert [prove(client, "wrong").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = prove(client)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert client.get("/account/password/").status_code == 302


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_proving_again_leads_to_no_other_site(client: Client, to: str) -> None:
    assert prove(client, to=to)["Location"] == "/account/"


def test_an_account_without_password_is_not_asked_for_one(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    client = Client()
    client.force_login(alice)
    answer = client.get("/account/password/")
    assert answer.status_code == 403
    assert "Ask an administrator" in answer.content.decode()


# --- The address


def test_a_new_address_holds_once_it_is_confirmed(
    client: Client, alice: User, published: list[Any]
) -> None:
    prove(client)
    assert client.post("/account/email/", {"email": "new@example.com"}).status_code == 302
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert published == [EmailChangeAsked(user_id=alice.pk, email="new@example.com")]
    own_email.send_confirmation(user_id=alice.pk, email="new@example.com")
    (sent,) = mail.outbox
    assert sent.to == ["new@example.com"]
    link = next(word for word in sent.body.split() if word.startswith(configured.PUBLIC_URL))
    path = link.removeprefix(configured.PUBLIC_URL)
    phone = Client()  # where nobody is logged in
    assert "new@example.com" in phone.get(path).content.decode()
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"  # opening it changed nothing
    assert phone.post(path)["Location"] == "/account/"
    alice.refresh_from_db()
    assert alice.email == "new@example.com"
    fact = published[-1]
    assert (fact.event, fact.address) == ("email_changed", "alice@example.com")
    change = Change.objects.filter(model="accounts.user", object_id=alice.pk).first()
    assert change is not None
    assert (change.actor_id, change.after) == (alice.pk, {"email": "new@example.com"})
    assert "no longer works" in phone.post(path).content.decode()


def test_the_address_is_changed_only_by_whoever_proves_it(client: Client, alice: User) -> None:
    assert client.post("/account/email/", {"email": "evil@example.com"}).status_code == 403
    own_email.send_confirmation(user_id=0, email="evil@example.com")
    assert mail.outbox == []


@pytest.mark.parametrize("email", ["", "x", "alice@example.com", "a@b\r\nBcc: c@example.com"])
def test_odd_and_present_addresses_are_refused(client: Client, email: str) -> None:
    prove(client)
    answer = client.post("/account/email/", {"email": email})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()


def test_a_link_ends_with_another_change_with_its_time_and_with_the_account(alice: User) -> None:
    token = own_email.token_for(alice, "new@example.com")
    assert own_email.read(token) is not None
    with time_machine.travel(time.time() + 86401):
        assert own_email.read(token) is None
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert own_email.read(token) is None
    User.objects.filter(pk=alice.pk).update(is_active=True, email="other@example.com")
    assert own_email.read(token) is None
    for forged in ("", "x", token[:-2], token.swapcase()):
        assert own_email.read(forged) is None


# --- The mails


def secured(user: User, **more: str) -> dict[str, Any]:
    fact = {"event": "password_changed", "at": "2026-03-01T10:00:00+00:00", "place": "Firefox"}
    return {"user_id": user.pk, "address": "", **fact, **more}


def test_the_notice_says_what_when_and_from_where(alice: User) -> None:
    notices.send_notice(**secured(alice))
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    for text in ("The password of your account was changed.", "11", "Firefox", "/account/"):
        assert text in sent.body


def test_the_notice_is_in_the_users_language(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="fr")
    notices.send_notice(**secured(alice, address="old@example.com"))
    (sent,) = mail.outbox
    assert sent.to == ["old@example.com"]
    assert "Le mot de passe de votre compte a été modifié." in sent.body


def test_no_notice_is_sent_without_an_address() -> None:
    notices.send_notice(**secured(UserFactory(email="")))
    notices.send_notice(**secured(User(pk=0)))
    assert mail.outbox == []
