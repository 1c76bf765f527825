"""Authenticator apps and recovery codes: set up, asked for, used once, counted, taken away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.logins import second_factors
from accounts.models import Change, User
from core.events import bus
from core.rates.windows import parse
from tests.accounts.logins.authenticators import code_of
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    user: User = UserFactory(username="alice", email="alice@example.com")
    return user


@pytest.fixture
def secret(alice: User) -> str:
    """The key of an authenticator app that Alice has set up."""
    key = generate_totp_secret()
    TOTP.activate(alice, key)
    RecoveryCodes.activate(alice)
    return key


@pytest.fixture
def codes(alice: User, secret: str) -> list[str]:
    row = Authenticator.objects.get(user=alice, type=Authenticator.Type.RECOVERY_CODES)
    unused: list[str] = row.wrap().get_unused_codes()
    return unused


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    facts: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *some: facts.extend(some))
    return facts


def with_password(to: str = "", **more: str) -> tuple[Client, Any]:
    client = Client(**more)  # type: ignore[arg-type]
    form = {"username": "alice", "password": PASSWORD, "next": to}
    return client, client.post("/login/", form)


def step(client: Client, code: str, **more: str) -> Any:
    return client.post("/login/step/", {"code": code}, **more)


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_an_app_is_set_up_with_its_first_code(alice: User, published: list[Any]) -> None:
    client, _answer = with_password()
    page = client.get("/account/app/")
    assert "data:image/svg+xml" in page.content.decode()
    secret = page.context["form"].secret
    assert client.post("/account/app/", {"code": "000000"}).status_code == 200
    done = client.post("/account/app/", {"code": code_of(secret)})
    assert done["Location"] == "/account/codes/"
    shown = client.get("/account/codes/").content.decode()
    codes = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()
    assert len(codes) == 10
    assert all(f"{code[:4]} {code[4:]}" in shown for code in codes)
    again = client.get("/account/codes/").content.decode()
    assert not any(f"{code[:4]} {code[4:]}" in again for code in codes)
    assert "10 codes left" in again
    change = Change.objects.filter(model="mfa.authenticator", after__type="totp").get()
    assert (change.actor_id, change.owner_id) == (alice.pk, alice.pk)
    assert secret not in str(change.after)


def test_the_mail_about_a_new_app_is_owed(
    alice: User, published: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    client, _answer = with_password()
    secret = client.get("/account/app/").context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/app/", {"code": code_of(secret)})
    assert [fact.event for fact in published] == ["app_added"]


def test_a_password_alone_no_longer_logs_in(secret: str) -> None:
    client, answer = with_password(to="/desk/snoozed/")
    assert answer["Location"] == "/login/step/"
    assert not is_in(client)
    assert "authenticator app" in client.get("/login/step/").content.decode()
    done = step(client, code_of(secret))
    assert done["Location"] == "/desk/snoozed/"
    assert is_in(client)


def test_the_second_step_needs_the_first(secret: str) -> None:
    client = Client()
    assert client.get("/login/step/")["Location"] == "/login/"
    assert step(client, code_of(secret))["Location"] == "/login/"
    assert not is_in(client)


def test_the_first_step_is_forgotten_after_a_while(secret: str) -> None:
    client, _answer = with_password()
    with time_machine.travel(time.time() + 901, tick=False):
        assert step(client, code_of(secret))["Location"] == "/login/"
        assert not is_in(client)


def test_a_code_is_used_once(secret: str) -> None:
    code = code_of(secret)
    first, _answer = with_password()
    second, _answer = with_password()
    assert step(first, code).status_code == 302
    refused = step(second, code)
    assert refused.status_code == 200
    assert "has been used" in refused.content.decode()
    assert not is_in(second)


def test_an_earlier_code_is_refused_after_a_later_one(alice: User, secret: str) -> None:
    now = timezone.now()
    later, earlier = code_of(secret), code_of(secret, at=time.time() - 30)
    assert second_factors.find_by_code(alice, later, at=now) is not None
    assert second_factors.find_by_code(alice, earlier, at=now) is None


@pytest.mark.parametrize(("seconds", "fits"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_the_clock_of_a_phone_may_be_half_a_minute_off(
    alice: User, secret: str, seconds: int, fits: bool
) -> None:
    with time_machine.travel("2026-03-01T10:00:15+00:00", tick=False):
        code = code_of(secret, at=time.time() + seconds)
        factor = second_factors.find_by_code(alice, code, at=timezone.now())
    assert (factor is not None) is fits


def test_a_recovery_code_logs_in_once_and_is_announced(
    codes: list[str], published: list[Any]
) -> None:
    client, _answer = with_password()
    assert step(client, codes[3]).status_code == 302
    assert is_in(client)
    assert [fact.event for fact in published] == ["code_used"]
    again, _answer = with_password()
    assert step(again, codes[3]).status_code == 200
    assert not is_in(again)


@pytest.mark.django_db(transaction=True)
def test_of_many_equal_codes_at_once_one_counts(alice: User, secret: str) -> None:
    code = code_of(secret)

    def use(_number: int) -> bool:
        try:
            return second_factors.find_by_code(alice, code, at=timezone.now()) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1


# --- How often


@pytest.fixture
def limited(settings: Settings) -> Iterator[None]:
    settings.RATE_LIMITS = {"login": parse("account 3/15minute, address 50/15minute")}
    yield
    settings.RATE_LIMITS = {}


OFFICE, ELSEWHERE = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "198.51.100.7"}


def test_wrong_codes_are_counted_wherever_they_come_from(secret: str, limited: None) -> None:
    client, _answer = with_password()
    assert [step(client, "000000", **OFFICE).status_code for _ in range(4)] == [200, 200, 200, 429]
    elsewhere, _answer = with_password()  # a right password does not forget them
    refused = step(elsewhere, code_of(secret), **ELSEWHERE)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert not is_in(elsewhere)


def test_wrong_codes_of_others_do_not_touch_the_owners_browser(secret: str, limited: None) -> None:
    owner, _answer = with_password()
    step(owner, code_of(secret))
    owner.post("/logout/")
    thief, _answer = with_password()
    for _ in range(5):
        step(thief, "000000")
    owner.post("/login/", {"username": "alice", "password": PASSWORD})
    with time_machine.travel(time.time() + 60):
        assert step(owner, code_of(secret)).status_code == 302
        assert is_in(owner)


# --- Taken away


def test_a_factor_is_removed_only_with_a_factor(alice: User, secret: str) -> None:
    client = Client()
    client.force_login(alice)
    row = Authenticator.objects.get(user=alice, type="totp")
    asked = client.get(f"/account/factors/{row.pk}/remove/")
    assert asked["Location"].startswith("/account/prove/code/")
    # The page for the password leads to the one for a code, and a password sent there counts not.
    client.post("/account/prove/?next=/account/", {"password": PASSWORD})
    assert client.post(f"/account/factors/{row.pk}/remove/").status_code == 403
    assert Authenticator.objects.filter(pk=row.pk).exists()
    proven = client.post(asked["Location"], {"code": code_of(secret)})
    assert proven["Location"] == f"/account/factors/{row.pk}/remove/"
    assert client.get(proven["Location"]).status_code == 200
    assert client.post(proven["Location"])["Location"] == "/account/"
    assert not Authenticator.objects.filter(user=alice).exists()


def test_nobody_removes_the_factor_of_another(alice: User, secret: str) -> None:
    other = UserFactory(username="mallory")
    client = Client()
    client.post("/login/", {"username": other.username, "password": PASSWORD})
    row = Authenticator.objects.get(user=alice, type="totp")
    assert client.post(f"/account/factors/{row.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=row.pk).exists()


def test_new_recovery_codes_replace_the_old_ones(
    secret: str, codes: list[str], alice: User
) -> None:
    client, _answer = with_password()
    step(client, code_of(secret))
    assert client.post("/account/codes/new/")["Location"] == "/account/codes/"
    row = Authenticator.objects.get(user=alice, type="recovery_codes")
    assert not set(row.wrap().get_unused_codes()) & set(codes)
    late, _answer = with_password()
    assert step(late, codes[0]).status_code == 200


def test_a_mailed_link_does_not_pass_by_the_second_step(alice: User, secret: str) -> None:
    from accounts import invitations

    client = Client()
    page = client.get(invitations.path_for(alice), follow=True)
    new = {"new_password1": "a-fine-password-7", "new_password2": "a-fine-password-7"}
    answer = client.post(page.redirect_chain[-1][0], new)
    assert answer["Location"] == "/login/step/"
    assert not is_in(client)
