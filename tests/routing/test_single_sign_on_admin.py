"""Providers of single sign-on are entered in the administration; their secret is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Change, IdentityProvider, Role
from accounts.single_sign_on import discovery
from tests import identity_provider
from tests.factories import GroupFactory, UserFactory
from tests.identity_provider import CLIENT, SECRET, Provider
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db
PAGE = "/admin/accounts/identityprovider/"


@pytest.fixture
def server(settings: Settings) -> Iterator[Provider]:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    discovery.forget()
    with identity_provider.running() as provider:
        yield provider


@pytest.fixture
def admin(client: Client) -> Client:
    return log_in_freshly(client, UserFactory(role=Role.ADMIN))


def form(server: Provider, **more: Any) -> dict[str, Any]:
    return {
        "name": "Acme",
        "key": "acme",
        "issuer": server.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "is_enabled": "on",
        "groups_claim": "groups",
        "rules-TOTAL_FORMS": "1",
        "rules-INITIAL_FORMS": "0",
        "rules-0-position": "1",
        "rules-0-basis": "claim",
        "rules-0-value": "support",
        "rules-0-role": "agent",
        "rules-0-groups": [str(GroupFactory().pk)],
    } | more


def test_a_provider_is_entered_and_its_secret_is_never_shown(
    admin: Client, server: Provider
) -> None:
    assert admin.get(f"{PAGE}add/").status_code == 200
    answer = admin.post(f"{PAGE}add/", form(server))
    assert answer.status_code == 302, answer.context["errors"]
    provider = IdentityProvider.objects.get()
    assert provider.client_secret.reveal() == SECRET
    assert provider.rules.get().groups.count() == 1
    page = admin.get(f"{PAGE}{provider.pk}/change/").content.decode()
    assert "/login/with/acme/return/" in page
    assert SECRET not in page
    changes = Change.objects.filter(model="accounts.identityprovider")
    assert SECRET not in str([change.after for change in changes])
    assert provider.client_secret.ciphertext not in str([change.after for change in changes])


def test_a_server_that_is_no_provider_is_refused(admin: Client, server: Provider) -> None:
    wrong = form(server, issuer=f"{server.url}/elsewhere")
    answer = admin.post(f"{PAGE}add/", wrong)
    assert "does not respond as an OpenID Connect provider" in answer.content.decode()
    assert not IdentityProvider.objects.exists()


def test_a_stored_secret_is_not_sent_to_another_provider(admin: Client, server: Provider) -> None:
    admin.post(f"{PAGE}add/", form(server))
    provider = IdentityProvider.objects.get()
    rows = {"rules-INITIAL_FORMS": "0", "rules-TOTAL_FORMS": "0"}
    with identity_provider.running() as other:
        moved = form(other, client_secret="", **rows)
        answer = admin.post(f"{PAGE}{provider.pk}/change/", moved)
        assert "leads to another server" in answer.content.decode()
    provider.refresh_from_db()
    assert provider.issuer == server.url
