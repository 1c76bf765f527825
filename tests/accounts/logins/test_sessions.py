"""Sessions: how long they last, the list of one's own, the record, the mail about a new device."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from channels.db import database_sync_to_async
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import desk_session
from accounts.logins import sessions
from accounts.models import Login, LoginRule, Role, User
from accounts.session_monitor import SessionMonitor
from conversations.tasks import forget_traces
from core.db import async_pool
from core.events import bus
from tests.factories import PASSWORD, AgentFactory, UserFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def alice() -> User:
    user: User = UserFactory(username="alice", email="alice@example.com")
    return user


@pytest.fixture(autouse=True)
def forgotten_touches() -> None:
    sessions._touched.clear()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    facts: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *some: facts.extend(some))
    return facts


def log_in(agent: str = LAPTOP, password: str = PASSWORD, client: Client | None = None) -> Client:
    client = client or Client(headers={"User-Agent": agent})
    client.post("/login/", {"username": "alice", "password": password})
    return client


def key_of(client: Client) -> str:
    return client.cookies[configured.SESSION_COOKIE_NAME].value


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def rule(**values: Any) -> None:
    LoginRule.objects.filter(role=Role.AGENT).update(**values)


# --- How long


def test_a_session_ends_at_its_latest_end_whatever_one_does(alice: User) -> None:
    rule(longest_hours=2)
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:
        client = log_in()
        for minutes in (30, 60, 90, 119):
            clock.move_to(start + minutes * 60)
            assert is_in(client), minutes
        clock.move_to(start + 120 * 60)
        assert not is_in(client)


def test_an_idle_session_ends_and_an_active_one_goes_on(alice: User) -> None:
    rule(idle_minutes=30, longest_hours=10)
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:
        active, idle = log_in(), log_in(PHONE)
        for minutes in (20, 40, 60):
            clock.move_to(start + minutes * 60)
            assert is_in(active), minutes
        assert not is_in(idle)
        age = int(active.cookies[configured.SESSION_COOKIE_NAME]["max-age"])
        assert age == pytest.approx(10 * 3600, abs=2)


def test_a_page_that_updates_itself_is_no_activity(alice: User) -> None:
    AgentFactory(user=alice)
    rule(idle_minutes=30)
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:
        client = log_in()
        clock.move_to(start + 20 * 60)
        assert client.get("/desk/boxes/", headers={"HX-Request": "true"}).status_code == 200
        clock.move_to(start + 31 * 60)
        assert not is_in(client)


def test_a_sent_message_is_activity(alice: User) -> None:
    AgentFactory(user=alice)
    rule(idle_minutes=30)
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:
        client = log_in()
        desk = desk_session.load(key_of(client))
        assert desk is not None
        assert desk.limits[1] == 1800
        clock.move_to(start + 20 * 60)
        sessions.touch_desk(desk.session_key, desk.limits)
        clock.move_to(start + 45 * 60)
        assert is_in(client)


def test_an_ended_session_is_never_revived(alice: User) -> None:
    rule(idle_minutes=30)
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:
        client = log_in()
        desk = desk_session.load(key_of(client))
        assert desk is not None
        clock.move_to(start + 31 * 60)
        sessions.touch_desk(desk.session_key, desk.limits)
        assert not is_in(client)


def test_activity_is_written_once_a_minute(alice: User, django_assert_num_queries: Any) -> None:
    rule(idle_minutes=30)
    client = log_in()
    desk = desk_session.load(key_of(client)) or pytest.fail("no session")
    sessions._touched.clear()
    with django_assert_num_queries(1):
        for _ in range(5):
            sessions.touch_desk(desk.session_key, (int(time.time()) + 9999, 1800))


# --- The list


def test_the_list_has_ones_open_sessions_only(alice: User) -> None:
    laptop, phone = log_in(), log_in(PHONE)
    other = UserFactory()
    stranger = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
    stranger.post("/login/", {"username": other.username, "password": PASSWORD})
    page = laptop.get("/account/").content.decode()
    assert "Firefox, Linux" in page
    assert "Chrome, Android" in page
    assert "Windows" not in page
    phone.post("/logout/")
    assert "Chrome, Android" not in laptop.get("/account/").content.decode()


def test_one_session_is_ended_and_the_others_go_on(alice: User) -> None:
    laptop, phone, tablet = log_in(), log_in(PHONE), log_in(PHONE)
    login = Login.objects.get(session_key=key_of(phone))
    assert laptop.post(f"/account/sessions/{login.pk}/end/")["Location"] == "/account/"
    assert [is_in(client) for client in (laptop, phone, tablet)] == [True, False, True]


def test_all_other_sessions_are_ended(alice: User) -> None:
    laptop, phone, tablet = log_in(), log_in(PHONE), log_in(PHONE)
    other = UserFactory()
    stranger = Client()
    stranger.post("/login/", {"username": other.username, "password": PASSWORD})
    laptop.post("/account/sessions/end/")
    assert [is_in(client) for client in (laptop, phone, tablet, stranger)] == [
        True,
        False,
        False,
        True,
    ]


def test_sessions_are_ended_only_after_a_fresh_proof(alice: User) -> None:
    """Somebody with a stolen session does not throw its owner out."""
    laptop, phone = log_in(), log_in(PHONE)
    session = laptop.session
    del session["account_authentication_methods"]
    session.save()
    login = Login.objects.get(session_key=key_of(phone))
    for path in (f"/account/sessions/{login.pk}/end/", "/account/sessions/end/"):
        answer = laptop.post(path)
        assert answer.status_code == 403
        assert path in answer.content.decode()  # the form waits in the browser for the proof
    assert is_in(phone)
    laptop.post("/account/prove/", {"password": PASSWORD})
    laptop.post("/account/sessions/end/")
    assert not is_in(phone)


def test_nobody_ends_the_session_of_another(alice: User) -> None:
    victim = log_in()
    login = Login.objects.get(session_key=key_of(victim))
    mallory = Client()
    log_in_freshly(mallory, UserFactory())
    mallory.post(f"/account/sessions/{login.pk}/end/")
    mallory.post("/account/sessions/end/")
    assert is_in(victim)
    assert mallory.get(f"/account/sessions/{login.pk}/end/").status_code == 405


def test_a_session_stays_listed_when_a_new_password_changes_its_key(alice: User) -> None:
    client = log_in()
    before = key_of(client)
    new = {"new_password1": "a-fine-password-7", "new_password2": "a-fine-password-7"}
    client.post("/account/password/", new)
    assert key_of(client) != before
    assert "This device" in client.get("/account/").content.decode()


@pytest.mark.django_db(transaction=True)
async def test_an_ended_session_loses_its_sockets(alice: User) -> None:
    await database_sync_to_async(AgentFactory)(user=alice)
    laptop = await database_sync_to_async(log_in)()
    phone = await database_sync_to_async(log_in)(PHONE)
    closed: list[str] = []
    watch = SessionMonitor()
    for name, client in (("laptop", laptop), ("phone", phone)):
        desk = await database_sync_to_async(desk_session.load)(key_of(client))
        assert desk is not None

        async def end(name: str = name) -> None:
            closed.append(name)

        watch.add(name, desk, end)
    try:
        await database_sync_to_async(laptop.post)("/account/sessions/end/")
        await watch.check()
        assert closed == ["phone"]
    finally:
        assert watch._task is not None
        watch._task.cancel()
        await async_pool.close()


def test_an_administrator_logs_somebody_out_everywhere(alice: User) -> None:
    laptop, phone = log_in(), log_in(PHONE)
    admin = Client()
    log_in_freshly(admin, UserFactory(role=Role.ADMIN))
    form = {"action": "end_sessions", "_selected_action": [alice.pk]}
    admin.post("/admin/accounts/user/", form)
    assert [is_in(client) for client in (laptop, phone)] == [False, False]


# --- The record


def test_logins_and_failures_are_recorded_without_what_was_typed(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="accounts.logins.sessions"):
        log_in(password="hunter2hunter2")
        log_in()
        Client().post("/login/", {"username": "hunter2hunter2", "password": "x"})
    outcomes = Login.objects.order_by("pk").values_list("user", "outcome", "method", "device")
    assert list(outcomes) == [
        (alice.pk, "wrong_password", "", "Firefox, Linux"),
        (alice.pk, "succeeded", "password", "Firefox, Linux"),
    ]
    assert "hunter2" not in str(list(Login.objects.values())) + caplog.text
    assert f"login of user {alice.pk} wrong_password" in caplog.text
    assert f"login of user {alice.pk} succeeded, password" in caplog.text


def test_a_wrong_code_is_recorded(alice: User) -> None:
    TOTP.activate(alice, generate_totp_secret())
    client = log_in()
    client.post("/login/step/", {"code": "000000"})
    assert Login.objects.get().outcome == Login.Outcome.WRONG_CODE


def test_administrators_read_the_record_and_nobody_writes_it(alice: User) -> None:
    log_in()
    admin = Client()
    log_in_freshly(admin, UserFactory(role=Role.ADMIN))
    page = admin.get("/admin/accounts/login/", headers={"Accept-Language": "fr"}).content.decode()
    assert "Firefox, Linux" in page
    assert '<td class="field-proofs">Mot de passe</td>' in page
    assert admin.get("/admin/accounts/login/add/").status_code == 403
    manager = Client()
    log_in_freshly(manager, UserFactory(role=Role.MANAGER))
    assert manager.get("/admin/accounts/login/").status_code == 403


def test_old_records_and_ended_sessions_are_deleted(alice: User) -> None:
    old, open_one = log_in(), log_in(PHONE)
    long_ago = timezone.now() - sessions.RETENTION - timedelta(minutes=1)
    Login.objects.update(at=long_ago)
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=key_of(old)).update(expire_date=past)
    forget_traces()
    assert [login.session_key for login in Login.objects.all()] == [key_of(open_one)]
    assert not Session.objects.filter(pk=key_of(old)).exists()
    assert is_in(open_one)


# --- A new device


def test_a_new_device_is_announced_once_but_not_the_first_login(
    alice: User, published: list[Any]
) -> None:
    laptop = log_in()
    assert published == []
    laptop.post("/logout/")
    log_in(client=laptop)
    assert published == []
    phone = log_in(PHONE)
    assert [(fact.event, fact.place) for fact in published] == [
        ("new_device", "Chrome, Android (127.0.0.1)")
    ]
    phone.post("/logout/")
    log_in(client=phone)
    assert len(published) == 1
