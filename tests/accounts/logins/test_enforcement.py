"""A role that needs a second factor: who has none sets one up, and reaches nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from channels.db import database_sync_to_async
from django.conf import settings as configured
from django.core.management import call_command
from django.test import Client

from accounts import desk_session
from accounts.logins import second_factors
from accounts.logins.enforcement import OPEN, VISITORS
from accounts.models import Change, LoginRule, Role, User
from accounts.session_monitor import SessionMonitor
from core.db import async_pool
from tests import hostile
from tests.factories import AgentFactory, UserFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db


def require(*roles: str) -> None:
    LoginRule.objects.filter(role__in=roles).update(needs_second_factor=True)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_every_role_has_a_login_rule() -> None:
    assert set(LoginRule.objects.values_list("role", flat=True)) == set(Role.values)


def test_every_address_leads_to_the_set_up_and_changes_nothing() -> None:
    require(Role.ADMIN)
    admin = UserFactory(role=Role.ADMIN)
    client = logged_in(admin)
    tried = 0
    for route, converters in hostile.patterns():
        path = f"/{route}"
        if converters or path.startswith(VISITORS) or _name_of(path) in OPEN:
            continue
        for ask in (client.get, client.post):
            answer = ask(path)
            if path.startswith("/login/") or path in ("/admin/login/", "/admin/logout/"):
                continue
            if path.startswith("/api/"):
                assert answer.status_code == 403, path
                assert answer.json()["error"]["code"] == "second_factor", path
            else:
                assert (answer.status_code, answer["Location"]) == (
                    302,
                    "/account/second-factor/",
                ), path
            tried += 1
    assert tried > 100


def _name_of(path: str) -> str | None:
    from django.urls import resolve

    return resolve(path).url_name


def test_a_user_who_must_set_up_a_factor_can_only_do_so_or_log_out() -> None:
    require(Role.AGENT)
    client = logged_in(UserFactory())
    page = client.get("/account/second-factor/").content.decode()
    assert "Your role requires a second proof" in page
    assert 'href="/desk/"' not in page
    assert client.get("/account/app/")["Location"].startswith("/account/prove/")
    fragment = client.get("/desk/boxes/", headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == "/account/second-factor/"
    assert client.post("/logout/")["Location"] == "/login/"


@pytest.mark.parametrize(
    ("role", "is_superuser", "required", "is_held"),
    [
        (Role.AGENT, False, Role.AGENT, True),
        (Role.AGENT, False, Role.ADMIN, False),
        (Role.AGENT, True, Role.ADMIN, True),
        (Role.AGENT, True, Role.AGENT, False),
    ],
)
def test_the_rule_and_its_sql_agree(
    role: str, is_superuser: bool, required: str, is_held: bool
) -> None:
    require(required)
    user = UserFactory(role=role, is_superuser=is_superuser)
    AgentFactory(user=user)
    assert second_factors.must_set_up(user) is is_held
    assert _lacks(user) is is_held
    key = logged_in(user).cookies[configured.SESSION_COOKIE_NAME].value
    assert (desk_session.load(key) is None) is is_held
    TOTP.activate(user, generate_totp_secret())
    assert second_factors.must_set_up(user) is False
    assert _lacks(user) is False
    assert desk_session.load(key) is not None


def _lacks(user: User) -> bool:
    users = User.objects.raw(
        f"SELECT u.id, {second_factors.LACKS} AS lacks FROM accounts_user u WHERE u.id = %s",
        [user.pk],
    )
    return bool(users[0].lacks)  # type: ignore[attr-defined]


def test_recovery_codes_alone_are_no_second_factor() -> None:
    require(Role.AGENT)
    user = UserFactory()
    Authenticator.objects.create(
        user=user, type="recovery_codes", data={"seed": "", "used_mask": 0}
    )
    assert second_factors.must_set_up(user)
    assert _lacks(user)


@pytest.mark.django_db(transaction=True)
async def test_sockets_close_when_the_rule_begins() -> None:
    user = await database_sync_to_async(UserFactory)()
    client = await database_sync_to_async(logged_in)(user)
    key = client.cookies[configured.SESSION_COOKIE_NAME].value
    desk = await database_sync_to_async(desk_session.load)(key)
    assert desk is not None
    ended: list[str] = []

    async def end() -> None:
        ended.append("closed")

    watch = SessionMonitor()
    watch.add("socket", desk, end)
    try:
        await watch.check()
        assert ended == []
        await database_sync_to_async(require)(Role.AGENT)
        await watch.check()
        assert ended == ["closed"]
    finally:
        assert watch._task is not None
        watch._task.cancel()
        await async_pool.close()


# --- In the administration


def test_an_administrator_sets_the_rule_and_it_is_recorded() -> None:
    admin = UserFactory(role=Role.ADMIN)
    client = log_in_freshly(Client(), admin)
    rule = LoginRule.objects.get(role=Role.MANAGER)
    page = f"/admin/accounts/loginrule/{rule.pk}/change/"
    form = {"needs_second_factor": "on", "idle_minutes": "", "longest_hours": "336"}
    assert client.post(page, form).status_code == 302
    change = Change.objects.filter(model="accounts.loginrule").latest("id")
    assert (change.actor_id, change.after) == (admin.pk, {"needs_second_factor": True})
    assert client.get("/admin/accounts/loginrule/add/").status_code == 403


def test_an_administrator_resets_the_factors_of_somebody(published: list[Any]) -> None:
    user = UserFactory()
    TOTP.activate(user, generate_totp_secret())
    client = log_in_freshly(Client(), UserFactory(role=Role.ADMIN))
    form = {"action": "reset_factors", "_selected_action": [user.pk]}
    client.post("/admin/accounts/user/", form)
    assert not Authenticator.objects.filter(user=user).exists()
    assert [(fact.user_id, fact.event) for fact in published] == [(user.pk, "factors_reset")]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    from core.events import bus

    facts: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *some: facts.extend(some))
    return facts


def test_the_last_administrator_is_helped_by_a_command() -> None:
    user = UserFactory(username="root")
    TOTP.activate(user, generate_totp_secret())
    call_command("reset_second_factors", "root")
    assert not Authenticator.objects.filter(user=user).exists()
