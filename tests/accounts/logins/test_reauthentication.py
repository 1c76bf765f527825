"""What matters is asked for again: in the administration, too, and nothing typed is lost."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.db import models
from django.test import Client

from accounts.logins.reauthentication import AsksAgain
from accounts.models import (
    ApiToken,
    IdentityProvider,
    IdentitySecret,
    LoginRule,
    Role,
    ServiceAccount,
    ToolbarApp,
    User,
)
from conversations.models import (
    Inbox,
    LanguageModelSettings,
    Person,
    SuggestionSettings,
    Visitor,
    Webhook,
)
from core.encryption import encrypted_fields
from reporting.models import ShopKey
from tests.factories import PASSWORD, UserFactory, VisitorFactory, WebsiteFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db
LATER = 601
ASKING: tuple[type[models.Model], ...] = (
    *(User, LoginRule, ServiceAccount, ApiToken, IdentitySecret),
    *(ToolbarApp, SuggestionSettings, ShopKey, Person, Visitor, IdentityProvider, Webhook),
    *(LanguageModelSettings, Inbox),
)


@pytest.fixture
def admin_user() -> User:
    user: User = UserFactory(role=Role.ADMIN)
    return user


@pytest.fixture
def stale(admin_user: User) -> Client:
    """A browser whose login is too old for something important."""
    client = Client()
    client.force_login(admin_user)
    return client


def base_of(model: type[models.Model]) -> str:
    return f"/admin/{model._meta.label_lower.replace('.', '/')}/"


def test_every_model_with_a_secret_asks_again() -> None:
    with_secret = {model for model, _column in encrypted_fields()} & set(admin.site._registry)
    assert with_secret <= set(ASKING)
    for model, its_admin in admin.site._registry.items():
        assert isinstance(its_admin, AsksAgain) == (model in ASKING), model


@pytest.mark.parametrize("model", ASKING)
def test_forms_and_actions_ask_for_a_fresh_proof(
    model: type[models.Model], stale: Client, admin_user: User
) -> None:
    assert stale.get(base_of(model)).status_code == 200
    its_admin: Any = admin.site._registry[model]
    fresh = log_in_freshly(Client(), admin_user)
    request = stale.get("/admin/").wsgi_request
    if its_admin.has_add_permission(request):
        path = f"{base_of(model)}add/"
        assert stale.get(path)["Location"].startswith("/account/prove/?next=%2Fadmin%2F")
        assert stale.post(path, {}).status_code == 403
        assert fresh.get(path).status_code == 200
        with time_machine.travel(time.time() + LATER):
            assert fresh.get(path).status_code == 302
    answer = stale.post(base_of(model), {"action": "erase"})
    assert answer.status_code == 403
    assert "Confirm your identity" in answer.content.decode()


def test_pages_that_give_access_ask_again(stale: Client, admin_user: User) -> None:
    site = WebsiteFactory()
    for path in (
        f"/admin/accounts/user/{admin_user.pk}/change/",
        f"/admin/accounts/user/{admin_user.pk}/delete/",
        f"/admin/accounts/user/{admin_user.pk}/password/",
        f"/admin/setup/user/{admin_user.pk}/",
        f"/admin/setup/{site.pk}/team/",
    ):
        assert stale.get(path)["Location"].startswith("/account/prove/?next="), path


def test_a_form_that_was_sent_too_late_is_kept_and_sent_again(
    stale: Client, admin_user: User
) -> None:
    path = "/admin/accounts/serviceaccount/add/"
    typed = {"first_name": 'The "CRM" & others', "role": "agent", "is_active": "on"}
    kept_form = stale.post(path, typed)
    assert "no-store" in kept_form["Cache-Control"]
    assert not ServiceAccount.objects.exists()
    page = kept_form.content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert {name: unescape(fields[name]) for name in typed} == typed

    [proof] = re.findall(r'href="(/account/prove/[^"]*)" target="_blank"', page)
    proven = stale.post(proof, {"password": PASSWORD}, follow=True)
    assert proven.redirect_chain == [("/account/prove/done/", 302)]
    assert stale.post(path, typed).status_code == 302
    assert ServiceAccount.objects.get().first_name == typed["first_name"]


def test_an_erasure_waits_for_a_fresh_proof(stale: Client, admin_user: User) -> None:
    visitor = VisitorFactory(website=WebsiteFactory())
    form = {"action": "erase", "_selected_action": visitor.pk, "confirmed": "yes"}
    assert stale.post(base_of(Visitor), form).status_code == 403
    assert Visitor.objects.filter(pk=visitor.pk).exists()
    stale.post("/account/prove/", {"password": PASSWORD})
    assert stale.post(base_of(Visitor), form).status_code == 302
    assert not Visitor.objects.filter(pk=visitor.pk).exists()


def test_tokens_are_their_own_proof_and_pages_without_rights_ask_nothing(stale: Client) -> None:
    agent = Client()
    agent.force_login(UserFactory())
    assert agent.get("/admin/accounts/user/add/")["Location"].startswith("/admin/login/")
    manager = Client()
    manager.force_login(UserFactory(role=Role.MANAGER))
    assert manager.get("/admin/accounts/user/add/").status_code == 403
