"""Wrong passwords: a limit for the attacker, and none that could be aimed at somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import failed_logins
from accounts.models import FailedLogin, User
from conversations.tasks import forget_traces
from core.rates import counters
from core.rates.windows import parse
from tests.clock import NOW
from tests.factories import PASSWORD, UserFactory

OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limited(settings: Settings) -> Iterator[None]:
    settings.RATE_LIMITS = {"login": parse("account 3/15minute, address 8/15minute")}
    counters.forget_connections()
    yield
    counters.forget_connections()


@pytest.fixture
def owner() -> User:
    user: User = UserFactory(username="alice")
    return user


def tried(
    password: str, *, name: str = "alice", address: str = ELSEWHERE, client: Client | None = None
) -> HttpResponse:
    form = {"username": name, "password": password}
    return (client or Client()).post("/login/", form, REMOTE_ADDR=address)


def test_right_password_after_too_many_wrong_ones_is_refused(owner: User) -> None:
    statuses = [tried("wrong").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = tried(PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 15 * 60 + 1
    assert "Too many requests. Please try again in" in refused.content.decode()
    french = Client(headers={"accept-language": "fr"})
    assert "Réessayez dans" in tried("wrong", client=french).content.decode()


def test_wait_ends_even_if_the_attacker_goes_on(owner: User) -> None:
    with time_machine.travel(NOW, tick=False) as moved:
        for _ in range(3):
            tried("wrong")
        for _ in range(14):
            moved.shift(60)
            assert tried("wrong").status_code == 429
        moved.shift(timedelta(minutes=1, seconds=1))
        assert tried(PASSWORD).status_code == 302


def test_nobody_locks_the_owner_out_from_elsewhere(owner: User) -> None:
    for number in range(30):
        tried("wrong", address=f"198.51.100.{number}")
    assert tried(PASSWORD, address=OFFICE).status_code == 302


def test_colleague_behind_the_same_address_locks_nobody_out_of_their_browser(owner: User) -> None:
    mine = Client()
    assert tried(PASSWORD, address=OFFICE, client=mine).status_code == 302
    del mine.cookies[configured.SESSION_COOKIE_NAME]
    for _ in range(5):
        tried("wrong", address=OFFICE)
    assert tried(PASSWORD, address=OFFICE).status_code == 429
    # In this browser wrong passwords count, too, but only its own.
    statuses = [tried("wrong", address=OFFICE, client=mine).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    FailedLogin.objects.filter(pk__in=FailedLogin.objects.order_by("-pk").values("pk")[:2]).delete()
    assert tried(PASSWORD, address=OFFICE, client=mine).status_code == 302


def test_cookie_of_a_browser_helps_its_own_account_only(owner: User) -> None:
    other = UserFactory(username="mallory")
    for _ in range(3):
        tried("wrong")
    forged = Client()
    for cookie in (failed_logins.known_browser(other), "forged", f"{owner.pk}:x:y"):
        forged.cookies[configured.BROWSER_COOKIE_NAME] = cookie
        assert tried("wrong", client=forged).status_code == 429


def test_many_accounts_from_one_address_are_limited(owner: User) -> None:
    statuses = [tried("wrong", name=f"user{number}").status_code for number in range(10)]
    assert statuses == [200] * 8 + [429] * 2
    assert tried("wrong", name="another", address=OFFICE).status_code == 200


def test_own_login_does_not_clear_the_address(owner: User) -> None:
    UserFactory(username="mallory")
    for number in range(7):
        tried("wrong", name=f"user{number}")
    assert tried(PASSWORD, name="mallory").status_code == 302
    assert [tried("wrong", name=name).status_code for name in "xyz"] == [200, 429, 429]


def test_login_is_limited_without_valkey(owner: User, settings: Settings) -> None:
    settings.RATE_LIMIT_URL = "redis://127.0.0.1:1/1"
    assert [tried("wrong").status_code for _ in range(4)][-1] == 429


@pytest.mark.django_db(transaction=True)
def test_many_attempts_at_once_pass_no_more_than_the_limit(owner: User) -> None:
    def attempt(_number: int) -> int:
        try:
            return tried("wrong").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(attempt, range(16)))
    assert statuses.count(200) <= 3


def test_nothing_readable_is_stored_and_old_attempts_are_deleted(owner: User) -> None:
    tried("wrong")
    assert {len(row.subject) for row in FailedLogin.objects.all()} == {64}
    FailedLogin.objects.update(at=timezone.now() - timedelta(hours=1))
    forget_traces()
    assert not FailedLogin.objects.exists()
