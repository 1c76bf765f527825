"""A forgotten password: the link, what strangers learn from it, and how often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts import tasks
from accounts.facts import PasswordForgotten
from accounts.logins import passwords
from accounts.models import Change, User
from core.events import bus
from core.models import OutboxEntry
from core.rates import counters
from core.rates.windows import parse
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
NEW = {"new_password1": "a-fine-password-7", "new_password2": "a-fine-password-7"}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice() -> User:
    user: User = UserFactory(username="alice", email="Alice@example.com", first_name="Alice")
    return user


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    facts: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *some: facts.extend(some))
    return facts


def ask(login: str, client: Client | None = None, **more: str) -> Any:
    return (client or Client()).post("/login/forgotten/", {"login": login}, **more)


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@EXAMPLE.com"])
def test_the_link_is_asked_for_by_name_or_address(
    login: str, alice: User, published: list[Any]
) -> None:
    assert ask(login)["Location"] == "/login/forgotten/sent/"
    assert published == [PasswordForgotten(user_ids=(alice.pk,))]


def test_the_mailed_link_sets_a_password_and_logs_in(alice: User) -> None:
    passwords.send_links(user_ids=[alice.pk])
    (sent,) = mail.outbox
    assert sent.to == ["Alice@example.com"]
    link = next(word for word in sent.body.split() if word.startswith(configured.PUBLIC_URL))
    client = Client()
    page = client.get(link.removeprefix(configured.PUBLIC_URL), follow=True)
    answer = client.post(page.redirect_chain[-1][0], NEW)
    assert answer["Location"] == "/"
    alice.refresh_from_db()
    assert alice.check_password(NEW["new_password1"])
    assert int(client.session["_auth_user_id"]) == alice.pk
    again = Client().get(link.removeprefix(configured.PUBLIC_URL), follow=True)
    assert "This link no longer works" in again.content.decode()


def test_a_reset_ends_other_sessions_and_is_announced_and_recorded(
    alice: User, published: list[Any]
) -> None:
    elsewhere, client = Client(), Client()
    elsewhere.force_login(alice)
    passwords.send_links(user_ids=[alice.pk])
    link = next(word for word in mail.outbox[0].body.split() if "/welcome/" in word)
    page = client.get(link.removeprefix(configured.PUBLIC_URL), follow=True)
    client.post(page.redirect_chain[-1][0], NEW)
    assert elsewhere.get("/account/").status_code == 302
    assert [fact.event for fact in published] == ["password_changed"]
    change = Change.objects.filter(model="accounts.user", object_id=alice.pk).first()
    assert change is not None
    assert (change.actor_id, change.after) == (alice.pk, {"password": "•••"})


def test_strangers_do_not_learn_whether_an_account_exists(alice: User) -> None:
    UserFactory(username="silent", email="")
    UserFactory(username="gone", email="gone@example.com", is_active=False)
    ask("warm up")
    answers = set()
    for login in ("alice", "nobody", "silent", "gone"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(login)
        answers.add((answer.status_code, answer["Location"], answer.content, len(queries)))
    assert len(answers) == 1


def test_a_web_process_asks_a_worker_to_mail_the_link(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(tasks.send_links, "apply_async", lambda args, **how: asked.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        ask("alice")
        ask("nobody")
    assert asked == [([alice.pk],), ([],)]
    assert mail.outbox == []
    tasks.send_links(*asked[0])
    assert len(mail.outbox) == 1


def test_no_link_and_no_address_is_stored(alice: User) -> None:
    ask("alice@example.com")
    stored = str(list(OutboxEntry.objects.values("reaction", "payload")))
    assert "send_links" in stored
    assert "example.com" not in stored
    assert "/welcome/" not in stored


def test_accounts_without_address_or_access_get_no_mail(alice: User) -> None:
    gone = UserFactory(email="gone@example.com", is_active=False)
    passwords.send_links(user_ids=[gone.pk, UserFactory(email="").pk, 0])
    assert mail.outbox == []


def test_an_account_gets_one_link_a_minute_whoever_asks(alice: User) -> None:
    for _ in range(3):
        passwords.send_links(user_ids=[alice.pk])
    assert len(mail.outbox) == 1


def test_an_address_is_limited_and_others_are_not(alice: User, settings: Settings) -> None:
    settings.RATE_LIMITS = {"forgotten": parse("visitor 2/hour, address 5/hour")}
    counters.forget_connections()
    office = {"REMOTE_ADDR": "192.0.2.1"}
    assert [ask("alice", **office).status_code for _ in range(3)] == [302, 302, 429]
    refused = ask("alice", **office)
    assert int(refused["Retry-After"]) > 0
    assert "Please try again in" in refused.content.decode()
    assert ask("alice", REMOTE_ADDR="198.51.100.7").status_code == 302


def test_a_reset_redirects_to_no_other_site(alice: User) -> None:
    answer = Client().post("/login/forgotten/?next=https://evil.example/", {"login": "alice"})
    assert answer["Location"] == "/login/forgotten/sent/"
    assert Client().post("/login/", {"username": "alice", "password": PASSWORD})["Location"] == "/"


@pytest.mark.parametrize("path", ["/login/forgotten/", "/login/forgotten/sent/"])
def test_methods_other_than_get_and_post_are_refused(path: str) -> None:
    assert Client().delete(path).status_code == 405


@pytest.mark.parametrize("path", ["/signup/", "/accounts/signup/", "/accounts/email/"])
def test_the_librarys_own_addresses_do_not_exist(path: str) -> None:
    assert Client().get(path).status_code == 404
