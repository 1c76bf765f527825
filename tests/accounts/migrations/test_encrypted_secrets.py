"""Secrets that brands' servers have stay valid through the upgrade, the return and the upgrade."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils.crypto import salted_hmac

from accounts.models import IdentitySecret, ToolbarApp
from conversations.models import SuggestionSettings
from tests.clock import NOW
from tests.factories import WebsiteFactory

BEFORE = {"accounts": "0020", "conversations": "0043"}


def rows(sql: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []


def derived(key_salt: str, salt: object) -> str:
    return salted_hmac(key_salt, str(salt), algorithm="sha256").hexdigest()


@pytest.mark.usefixtures("migrate")
def test_secrets_are_the_same_before_and_after() -> None:
    website = WebsiteFactory()
    IdentitySecret.objects.create(website=website, created_at=NOW)
    ToolbarApp.objects.create(website=website, name="Orders", url="https://orders.example/")
    SuggestionSettings.objects.create(website=website, provider_secret="s3cret é")

    for app in reversed(BEFORE):
        call_command("migrate", app, BEFORE[app], verbosity=0)
    ((identity_salt,),) = rows("SELECT salt FROM accounts_identitysecret")
    ((app_salt,),) = rows("SELECT salt FROM accounts_toolbarapp")
    assert len({identity_salt, app_salt}) == 2
    assert rows("SELECT provider_secret FROM conversations_suggestionsettings") == [("s3cret é",)]
    # As a process of the version before would do it.
    rows("UPDATE conversations_suggestionsettings SET provider_secret = 'by the former'")

    call_command("migrate", verbosity=0)
    secret = IdentitySecret.objects.get().secret
    assert secret.reveal() == derived("causerie.identity", identity_salt)
    secret = ToolbarApp.objects.get().secret
    assert secret.reveal() == derived("causerie.toolbar app", app_salt)
    assert SuggestionSettings.objects.get().provider_secret.reveal() == "by the former"
    ((stored,),) = rows("SELECT provider_secret FROM conversations_suggestionsettings")
    assert "former" not in str(stored)
    recorded = str(rows("SELECT before, after FROM accounts_change"))
    for hidden in ("s3cret", "former", str(identity_salt), str(app_salt)):
        assert hidden not in recorded

    call_command("migrate", "accounts", BEFORE["accounts"], verbosity=0)
    assert rows("SELECT salt FROM accounts_identitysecret") == [(identity_salt,)]
    assert rows("SELECT salt FROM accounts_toolbarapp") == [(app_salt,)]
